// Shared declarations of the handler. V8 comes first: PostgreSQL's macros would change its headers.
#pragma once
#include <libplatform/libplatform.h>
#include <v8.h>

#include <string>
#include <vector>

extern "C" {
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_param.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/regproc.h"
#include "utils/resowner.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
}
#undef _

namespace plv8 {

// JavaScript is on top, or C++ that may call some: an interrupt ends it there. Below PostgreSQL code an interrupt waits for
// CHECK_FOR_INTERRUPTS: a lock timeout for instance arrives as SIGINT, too, but is an ordinary error of the statement that
// waited. What came while JavaScript was not on top is looked at on the way in and back.
extern volatile sig_atomic_t running;

class Running {
 public:
  explicit Running(bool on) : before_(running) { set(on); }
  ~Running() { set(before_); }

 private:
  void set(sig_atomic_t on);
  sig_atomic_t before_;
};

// An error of PostgreSQL on its way through C++ frames.
struct PgFailure {
  ErrorData *error;
};
// A JavaScript exception is pending in the isolate; C++ frames unwind to the callback that returns to V8.
struct JsPending {};

template <typename T>
v8::Local<T> must(v8::MaybeLocal<T> maybe) {
  v8::Local<T> value;
  if (!maybe.ToLocal(&value)) throw JsPending{};
  return value;
}

// Runs PostgreSQL code that may ereport. The body holds no C++ object with a destructor and calls no V8, so the longjmp
// crosses neither; the error goes on as a C++ exception.
template <typename Body>
void guard(Body body) {
  MemoryContext context = CurrentMemoryContext;
  ErrorData *volatile error = nullptr;
  Running not_now(false);
  PG_TRY();
  { body(); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    error = CopyErrorData();
    FlushErrorState();
  }
  PG_END_TRY();
  if (error != nullptr) throw PgFailure{error};
}

struct TypedArrayKind {
  const char *name;
  Oid element;
  size_t width;
  bool (v8::Value::*matches)() const;
  v8::Local<v8::Value> (*view)(v8::Local<v8::ArrayBuffer>, size_t);
};

// How values of a type cross the border.
struct TypeInfo {
  Oid oid = InvalidOid;
  int16 length = 0;
  bool by_value = false;
  char alignment = 0;
  char kind = 0;
  Oid element = InvalidOid;
  bool composite = false;
  const TypedArrayKind *typed_array = nullptr;
  Oid base = InvalidOid;  // itself, unless it is a domain
  int32 base_typmod = -1;
  void *constraints = nullptr;  // what domain_check() keeps
  FmgrInfo input;
  FmgrInfo output;
  Oid io_param = InvalidOid;
};

extern v8::Isolate *isolate;
extern volatile sig_atomic_t depth;  // of JavaScript on the stack of this backend
extern int memory_limit;

// context.cc
void ensure_isolate();
v8::Local<v8::Context> current_context();
void dispose_if_exhausted();
bool is_exhausted();
void pump_tasks();
void forget_role(Oid role);
void describe_memory(StringInfo text);
v8::Local<v8::ArrayBuffer> new_buffer(size_t size);
[[noreturn]] void throw_exhausted();

// convert.cc
TypeInfo *type_info(Oid oid);
v8::Local<v8::Value> to_js(Datum value, bool is_null, TypeInfo *type);
Datum from_js(v8::Local<v8::Value> value, bool *is_null, TypeInfo *type);
void refuse_array_domain(const TypeInfo *type);
v8::Local<v8::Object> tuple_to_js(HeapTuple tuple, TupleDesc desc);
HeapTuple js_to_tuple(v8::Local<v8::Value> value, TupleDesc desc);
v8::Local<v8::String> js_string(const char *text);
v8::Local<v8::String> js_string(const char *text, int length);
v8::Local<v8::String> js_name(const char *text);  // of a property: kept once
char *c_string(v8::Local<v8::Value> value);  // palloc'd, server encoding
char *value_text(v8::Local<v8::Value> value);  // likewise, of what goes into a table
[[noreturn]] void throw_js(const char *message);
[[noreturn]] void throw_range_error(const char *message);

// jsonb.cc
void check_jsonb_numbers(const char *text);
void assign_prototypes(v8::Local<v8::Value> value);
Datum jsonb_from_js(v8::Local<v8::Value> value);

// error.cc
void throw_into_js(const PgFailure &failure);
void terminate_for(const ErrorData *error);
void check_interrupts();
ErrorData *js_error(v8::TryCatch &try_catch);
ErrorData *exhausted_error();
ErrorData *ending_error();
[[noreturn]] void throw_pg(int sqlstate, const char *message, const char *hint = nullptr);
char *exception_text(v8::Local<v8::Value> thrown);
[[noreturn]] void raise(ErrorData *error);

// spi.cc
void install_api(v8::Local<v8::Context> context);
struct Call {  // what return_next and commit need to know of the running call
  Tuplestorestate *store = nullptr;
  TupleDesc desc = nullptr;
  TypeInfo *scalar = nullptr;
  bool nonatomic = false;
  Call *outer = nullptr;
};
extern Call *current_call;
void append_row(Call *call, v8::Local<v8::Value> value);

// handler.cc
v8::Local<v8::Function> find_function(const char *signature);

}  // namespace plv8
