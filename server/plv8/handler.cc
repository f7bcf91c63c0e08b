// Entry points of the language: call handler, DO, validator.
#include "plv8.h"

#include <map>
#include <set>
#include <type_traits>

extern "C" {
#include "commands/proclang.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"

PG_MODULE_MAGIC;
}

namespace plv8 {

namespace {

struct Function {
  Oid oid = InvalidOid;
  TransactionId xmin = InvalidTransactionId;
  ItemPointerData tid;
  v8::Global<v8::Function> code;
  bool returns_set = false;
  Oid return_type = InvalidOid;
  std::vector<Oid> argument_types;
};

char *start_proc = nullptr;
std::set<Oid> started;  // roles whose context has run it

// By function and role: globals belong to a role.
std::map<std::pair<Oid, Oid>, Function> functions;

struct Source {
  char *name;
  char *body;
  char **argument_names;
  Oid *argument_types;
  int arguments;
  bool trigger;
};

// Reads pg_proc; runs inside guard().
void read_source(Oid oid, Function *function, Source *source, bool *fresh) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", oid);
  if (function->oid == oid && function->xmin == HeapTupleHeaderGetRawXmin(tuple->t_data) &&
      ItemPointerEquals(&function->tid, &tuple->t_self)) {
    ReleaseSysCache(tuple);
    *fresh = true;
    return;
  }
  *fresh = false;
  Form_pg_proc proc = (Form_pg_proc)GETSTRUCT(tuple);
  bool is_null = false;
  Datum body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &is_null);
  if (is_null) elog(ERROR, "function %u has no source", oid);
  source->body = TextDatumGetCString(body);
  source->name = pstrdup(NameStr(proc->proname));
  source->trigger = proc->prorettype == TRIGGEROID;
  Oid *types;
  char **names;
  char *modes;
  int all = get_func_arg_info(tuple, &types, &names, &modes);
  source->argument_names = static_cast<char **>(palloc0(sizeof(char *) * (all + 1)));
  source->argument_types = static_cast<Oid *>(palloc0(sizeof(Oid) * (all + 1)));
  source->arguments = 0;
  for (int i = 0; i < all; i++) {
    char mode = modes != nullptr ? modes[i] : PROARGMODE_IN;
    if (mode != PROARGMODE_IN && mode != PROARGMODE_INOUT && mode != PROARGMODE_VARIADIC) continue;
    char *name = names != nullptr && names[i] != nullptr && names[i][0] != '\0' ? names[i] : nullptr;
    source->argument_types[source->arguments] = types[i];
    source->argument_names[source->arguments] = name != nullptr ? name : psprintf("$%d", source->arguments + 1);
    source->arguments++;
  }
  function->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
  function->tid = tuple->t_self;
  function->returns_set = proc->proretset;
  function->return_type = proc->prorettype;
  ReleaseSysCache(tuple);
}

const char *const TRIGGER_ARGUMENTS[] = {"NEW",    "OLD",     "TG_NAME",       "TG_WHEN",         "TG_LEVEL",
                                         "TG_OP",  "TG_RELID", "TG_TABLE_NAME", "TG_TABLE_SCHEMA", "TG_ARGV"};

// Older V8 wants the isolate, newer has no place for it.
template <class Origin = v8::ScriptOrigin>
Origin origin_of(v8::Local<v8::Value> name) {
  if constexpr (std::is_constructible_v<Origin, v8::Isolate *, v8::Local<v8::Value>>)
    return Origin(isolate, name);
  else
    return Origin(name);
}

// Compiles to a function of its arguments. `(function (a, b) {` has a line of its own, which CONTEXT counts as 0.
v8::Local<v8::Function> compile(const Source &source) {
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  std::string code = "(function (";
  if (source.trigger) {
    for (size_t i = 0; i < lengthof(TRIGGER_ARGUMENTS); i++) code += std::string(i > 0 ? "," : "") + TRIGGER_ARGUMENTS[i];
  } else {
    for (int i = 0; i < source.arguments; i++) code += std::string(i > 0 ? "," : "") + source.argument_names[i];
  }
  code += std::string("){\n") + source.body + "\n})";
  v8::Local<v8::Value> name = v8::Undefined(isolate);
  if (source.name != nullptr) name = js_string(source.name);
  v8::ScriptOrigin origin = origin_of(name);
  v8::Local<v8::String> text = js_string(code.data(), static_cast<int>(code.size()));
  v8::Local<v8::Value> result = must(must(v8::Script::Compile(context, text, &origin))->Run(context));
  if (!result->IsFunction()) throw_pg(ERRCODE_SYNTAX_ERROR, "function body is not valid JavaScript");
  return result.As<v8::Function>();
}

Function &lookup(Oid oid) {
  Function &function = functions[{oid, GetUserId()}];
  Source source{};
  bool fresh = false;
  guard([&] { read_source(oid, &function, &source, &fresh); });
  if (fresh) return function;
  function.oid = InvalidOid;  // until it is compiled
  function.code.Reset(isolate, compile(source));
  function.argument_types.assign(source.argument_types, source.argument_types + source.arguments);
  function.oid = oid;
  return function;
}

v8::Local<v8::Value> call_js(v8::Local<v8::Function> code, std::vector<v8::Local<v8::Value>> &arguments) {
  return must(code->Call(isolate->GetCurrentContext(), v8::Undefined(isolate), static_cast<int>(arguments.size()), arguments.data()));
}

std::vector<v8::Local<v8::Value>> call_arguments(FunctionCallInfo fcinfo, const Function &function) {
  std::vector<v8::Local<v8::Value>> values;
  for (size_t i = 0; i < function.argument_types.size(); i++) {
    Oid type = function.argument_types[i];
    if (IsPolymorphicType(type) || type == ANYOID) type = get_fn_expr_argtype(fcinfo->flinfo, static_cast<int>(i));
    if (type == InvalidOid) throw_pg(ERRCODE_DATATYPE_MISMATCH, "could not determine the type of a polymorphic argument");
    values.push_back(to_js(fcinfo->args[i].value, fcinfo->args[i].isnull, type_info(type)));
  }
  return values;
}

Datum call_set(FunctionCallInfo fcinfo, Function &function, Call *call) {
  ReturnSetInfo *info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  guard([&] {
    if (info == nullptr || !IsA(info, ReturnSetInfo) || !(info->allowedModes & SFRM_Materialize))
      ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("set-valued function called in context that cannot accept a set")));
    Oid type;
    TupleDesc desc = nullptr;
    TypeFuncClass kind = get_call_result_type(fcinfo, &type, &desc);
    MemoryContext before = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
    if (kind == TYPEFUNC_COMPOSITE || kind == TYPEFUNC_COMPOSITE_DOMAIN)
      desc = CreateTupleDescCopy(desc);
    else if (kind == TYPEFUNC_RECORD && info->expectedDesc != nullptr)
      desc = CreateTupleDescCopy(info->expectedDesc);
    else if (kind == TYPEFUNC_SCALAR) {
      desc = CreateTemplateTupleDesc(1);
      TupleDescInitEntry(desc, 1, "value", type, -1, 0);
    } else
      ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("function returning record called in context that cannot accept type record")));
    call->desc = desc;
    call->store = tuplestore_begin_heap(info->allowedModes & SFRM_Materialize_Random, false, work_mem);
    MemoryContextSwitchTo(before);
    info->returnMode = SFRM_Materialize;
    info->setResult = call->store;
    info->setDesc = desc;
    fcinfo->isnull = true;
    if (kind == TYPEFUNC_SCALAR) call->scalar = reinterpret_cast<TypeInfo *>(1);  // resolved below, outside PostgreSQL code
  });
  if (call->scalar != nullptr) call->scalar = type_info(TupleDescAttr(call->desc, 0)->atttypid);
  std::vector<v8::Local<v8::Value>> arguments = call_arguments(fcinfo, function);
  v8::Local<v8::Value> result = call_js(function.code.Get(isolate), arguments);
  if (result->IsUndefined()) return 0;
  MemoryContext rows;
  guard([&] { rows = AllocSetContextCreate(CurrentMemoryContext, "plv8 rows", ALLOCSET_DEFAULT_SIZES); });
  MemoryContext before = MemoryContextSwitchTo(rows);
  if (result->IsArray()) {
    v8::Local<v8::Array> array = result.As<v8::Array>();
    for (uint32_t i = 0; i < array->Length(); i++) {
      v8::HandleScope scope(isolate);
      check_interrupts();
      append_row(call, must(array->Get(isolate->GetCurrentContext(), i)));
      MemoryContextReset(rows);
    }
  } else {
    append_row(call, result);
  }
  MemoryContextSwitchTo(before);
  MemoryContextDelete(rows);
  return 0;
}

Datum call_scalar(FunctionCallInfo fcinfo, Function &function, MemoryContext result_context) {
  if (function.return_type == TRIGGEROID)
    throw_pg(ERRCODE_FEATURE_NOT_SUPPORTED, "trigger functions can only be called as triggers");
  std::vector<v8::Local<v8::Value>> arguments = call_arguments(fcinfo, function);
  v8::Local<v8::Value> result = call_js(function.code.Get(isolate), arguments);
  Oid type = function.return_type;
  if (type == VOIDOID) {
    fcinfo->isnull = result->IsNullOrUndefined();
    return 0;
  }
  if (IsPolymorphicType(type)) type = get_fn_expr_rettype(fcinfo->flinfo);
  MemoryContext before = MemoryContextSwitchTo(result_context);
  bool is_null = false;
  refuse_array_domain(type_info(type));
  Datum datum = from_js(result, &is_null, type_info(type));
  MemoryContextSwitchTo(before);
  fcinfo->isnull = is_null;
  return datum;
}

Datum call_trigger(FunctionCallInfo fcinfo, Function &function, MemoryContext result_context) {
  TriggerData *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
  TupleDesc desc = RelationGetDescr(trigger->tg_relation);
  TriggerEvent event = trigger->tg_event;
  std::vector<v8::Local<v8::Value>> a(lengthof(TRIGGER_ARGUMENTS), v8::Undefined(isolate));
  HeapTuple unchanged = nullptr;
  bool row = TRIGGER_FIRED_FOR_ROW(event);
  if (row) {
    if (TRIGGER_FIRED_BY_UPDATE(event)) {
      a[0] = tuple_to_js(trigger->tg_newtuple, desc);
      a[1] = tuple_to_js(trigger->tg_trigtuple, desc);
      unchanged = trigger->tg_newtuple;
    } else {
      a[TRIGGER_FIRED_BY_INSERT(event) ? 0 : 1] = tuple_to_js(trigger->tg_trigtuple, desc);
      unchanged = trigger->tg_trigtuple;
    }
  }
  a[2] = js_string(trigger->tg_trigger->tgname);
  a[3] = js_string(TRIGGER_FIRED_BEFORE(event) ? "BEFORE" : TRIGGER_FIRED_INSTEAD(event) ? "INSTEAD OF" : "AFTER");
  a[4] = js_string(row ? "ROW" : "STATEMENT");
  a[5] = js_string(TRIGGER_FIRED_BY_INSERT(event)   ? "INSERT"
                   : TRIGGER_FIRED_BY_UPDATE(event) ? "UPDATE"
                   : TRIGGER_FIRED_BY_DELETE(event) ? "DELETE"
                                                    : "TRUNCATE");
  a[6] = v8::Integer::NewFromUnsigned(isolate, RelationGetRelid(trigger->tg_relation));
  a[7] = js_string(RelationGetRelationName(trigger->tg_relation));
  char *schema = nullptr;
  guard([&] { schema = get_namespace_name(RelationGetNamespace(trigger->tg_relation)); });
  a[8] = js_string(schema);
  v8::Local<v8::Array> argv = v8::Array::New(isolate, trigger->tg_trigger->tgnargs);
  for (int i = 0; i < trigger->tg_trigger->tgnargs; i++)
    argv->CreateDataProperty(isolate->GetCurrentContext(), i, js_string(trigger->tg_trigger->tgargs[i])).Check();
  a[9] = argv;
  v8::Local<v8::Value> result = call_js(function.code.Get(isolate), a);
  fcinfo->isnull = false;
  if (!row || result->IsUndefined() || TRIGGER_FIRED_AFTER(event)) return PointerGetDatum(unchanged);
  if (result->IsNull()) return PointerGetDatum(nullptr);
  MemoryContext before = MemoryContextSwitchTo(result_context);
  HeapTuple changed = js_to_tuple(result, desc);
  MemoryContextSwitchTo(before);
  return PointerGetDatum(changed);
}

// plv8.start_proc, once for each role; when it fails, the call that needed it does, and the next one tries again.
void start() {
  std::vector<v8::Local<v8::Value>> none;
  started.insert(GetUserId());
  try {
    call_js(find_function(start_proc), none);
  } catch (...) {
    started.erase(GetUserId());
    throw;
  }
}

// Enters V8 for the body; returns the error that is to be raised, when no C++ object is left.
template <typename Body>
ErrorData *enter(bool nonatomic, Call *call, Body body) {
  ErrorData *error = nullptr;
  try {
    ensure_isolate();
    guard([&] {
      check_stack_depth();
      SPI_connect_ext(nonatomic ? SPI_OPT_NONATOMIC : 0);
    });
  } catch (const PgFailure &failure) {
    return failure.error;
  }
  MemoryContext context = CurrentMemoryContext;
  call->nonatomic = nonatomic;
  call->outer = current_call;
  current_call = call;
  depth = depth + 1;
  {
    v8::Isolate::Scope isolate_scope(isolate);
    v8::HandleScope handles(isolate);
    // The stack V8 may use ends where PostgreSQL's does, less what C code below JavaScript may need.
    if (depth == 1) {
      char here;
      isolate->SetStackLimit(reinterpret_cast<uintptr_t>(&here) - static_cast<uintptr_t>(max_stack_depth) * 1024 + 256 * 1024);
    }
    v8::TryCatch try_catch(isolate);
    if (depth == 1) ending_error();  // of a call that ended with another error
    try {
      v8::Local<v8::Context> js = current_context();
      v8::Context::Scope context_scope(js);
      try {
        Running now(true);
        if (start_proc != nullptr && start_proc[0] != '\0' && started.count(GetUserId()) == 0) start();
        body();
        if (is_exhausted()) throw_exhausted();  // in a built-in, which does not end for a termination
        error = ending_error();
      } catch (const JsPending &) {
        MemoryContextSwitchTo(context);
        error = js_error(try_catch);
      } catch (const PgFailure &failure) {
        error = failure.error;
      }
      isolate->CancelTerminateExecution();  // it has done its work, or came too late to do it
      try_catch.Reset();
      if (depth == 1) pump_tasks();
    } catch (const PgFailure &failure) {
      error = failure.error;
    } catch (const JsPending &) {
      error = js_error(try_catch);
    }
  }
  depth = depth - 1;
  current_call = call->outer;
  dispose_if_exhausted();
  return error;
}

// No frame below holds anything that a longjmp would skip.
void finish(ErrorData *error) {
  CHECK_FOR_INTERRUPTS();  // one may have ended what nobody hears of: a microtask, a getter of the exception
  if (error != nullptr) raise(error);
  SPI_finish();
}

}  // namespace

void forget_functions() { functions.clear(); }
void forget_started() { started.clear(); }
void forget_functions_of(Oid role) {
  started.erase(role);
  for (auto i = functions.begin(); i != functions.end();) i = i->first.second == role ? functions.erase(i) : std::next(i);
}

v8::Local<v8::Function> find_function(const char *signature) {
  Oid oid = InvalidOid;
  guard([&] {
    bool full = strchr(signature, '(') != nullptr;
    oid = DatumGetObjectId(
        OidFunctionCall3(full ? F_REGPROCEDUREIN : F_REGPROCIN, CStringGetDatum(signature), InvalidOid, Int32GetDatum(-1)));
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
    Oid language = ((Form_pg_proc)GETSTRUCT(tuple))->prolang;
    ReleaseSysCache(tuple);
    if (language != get_language_oid("plv8", false))
      ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("javascript function is not found for \"%s\"", signature)));
#if PG_VERSION_NUM >= 160000
    AclResult allowed = object_aclcheck(ProcedureRelationId, oid, GetUserId(), ACL_EXECUTE);
#else
    AclResult allowed = pg_proc_aclcheck(oid, GetUserId(), ACL_EXECUTE);
#endif
    if (allowed != ACLCHECK_OK) aclcheck_error(allowed, OBJECT_FUNCTION, signature);
  });
  return lookup(oid).code.Get(isolate);
}

}  // namespace plv8

using namespace plv8;

extern "C" {

PG_FUNCTION_INFO_V1(plv8_call_handler);
PG_FUNCTION_INFO_V1(plv8_inline_handler);
PG_FUNCTION_INFO_V1(plv8_call_validator);
PG_FUNCTION_INFO_V1(plv8_reset);
PG_FUNCTION_INFO_V1(plv8_info);
void _PG_init(void);

void _PG_init(void) {
  DefineCustomIntVariable("plv8.memory_limit", "Memory that JavaScript of one backend may use, in MB.", NULL, &memory_limit, 256, 16,
                          65536, PGC_SUSET, 0, NULL, NULL, NULL);
  static char *v8_flags = NULL;
  DefineCustomStringVariable("plv8.v8_flags", "Flags given to V8 when a backend starts it.", NULL, &v8_flags, "", PGC_SUSET, 0, NULL,
                             NULL, NULL);
  // Not for everybody: it runs as the owner of a security definer function, too.
  DefineCustomStringVariable("plv8.start_proc", "Function to run when a role first uses the language in a session.", NULL, &start_proc,
                             "", PGC_SUSET, 0, NULL, NULL, NULL);
  MarkGUCPrefixReserved("plv8");
}

Datum plv8_call_handler(PG_FUNCTION_ARGS) {
  Datum result = 0;
  Call call;
  MemoryContext result_context = CurrentMemoryContext;
  bool nonatomic = fcinfo->context != nullptr && IsA(fcinfo->context, CallContext) && !castNode(CallContext, fcinfo->context)->atomic;
  ErrorData *error = enter(nonatomic, &call, [&] {
    Function &function = lookup(fcinfo->flinfo->fn_oid);
    if (CALLED_AS_TRIGGER(fcinfo))
      result = call_trigger(fcinfo, function, result_context);
    else if (function.returns_set)
      result = call_set(fcinfo, function, &call);
    else
      result = call_scalar(fcinfo, function, result_context);
  });
  finish(error);
  return result;
}

Datum plv8_inline_handler(PG_FUNCTION_ARGS) {
  InlineCodeBlock *block = castNode(InlineCodeBlock, DatumGetPointer(PG_GETARG_DATUM(0)));
  Call call;
  ErrorData *error = enter(false, &call, [&] {
    Source source{};
    source.body = block->source_text;
    std::vector<v8::Local<v8::Value>> none;
    call_js(compile(source), none);
  });
  finish(error);
  PG_RETURN_VOID();
}

Datum plv8_call_validator(PG_FUNCTION_ARGS) {
  Oid oid = PG_GETARG_OID(0);
  if (!CheckFunctionValidatorAccess(fcinfo->flinfo->fn_oid, oid)) PG_RETURN_VOID();
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", oid);
  Form_pg_proc proc = (Form_pg_proc)GETSTRUCT(tuple);
  Oid type = proc->prorettype;
  for (int i = 0; i < proc->pronargs; i++) {
    Oid argument = proc->proargtypes.values[i];
    if (get_typtype(argument) == TYPTYPE_PSEUDO && !IsPolymorphicType(argument))
      ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("PL/v8 functions cannot accept type %s", format_type_be(argument))));
  }
  ReleaseSysCache(tuple);
  if (get_typtype(type) == TYPTYPE_PSEUDO && type != TRIGGEROID && type != RECORDOID && type != VOIDOID && !IsPolymorphicType(type))
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("PL/v8 functions cannot return type %s", format_type_be(type))));
  if (!check_function_bodies) PG_RETURN_VOID();
  Call call;
  ErrorData *error = enter(false, &call, [&] {
    Function scratch;
    Source source{};
    bool fresh = false;
    guard([&] { read_source(oid, &scratch, &source, &fresh); });
    compile(source);
  });
  finish(error);
  PG_RETURN_VOID();
}

// Forgets the globals of the role. plv8 itself dies of it where the session has run JavaScript.
Datum plv8_reset(PG_FUNCTION_ARGS) {
  if (depth > 0) ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("plv8_reset() cannot be called by JavaScript")));
  forget_role(GetUserId());
  PG_RETURN_VOID();
}

Datum plv8_info(PG_FUNCTION_ARGS) {
  StringInfoData text;
  initStringInfo(&text);
  describe_memory(&text);
  PG_RETURN_DATUM(DirectFunctionCall1(json_in, CStringGetDatum(text.data)));
}

}  // extern "C"
