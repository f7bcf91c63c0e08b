// Errors both ways: PostgreSQL's ErrorData to a JavaScript Error, and back.
#include "plv8.h"

namespace plv8 {

namespace {

// Fields that an exception carries under their own names.
const struct {
  const char *name;
  char *ErrorData::*field;
} FIELDS[] = {{"detail", &ErrorData::detail},
              {"hint", &ErrorData::hint},
              {"schema_name", &ErrorData::schema_name},
              {"table_name", &ErrorData::table_name},
              {"column_name", &ErrorData::column_name},
              {"datatype_name", &ErrorData::datatype_name},
              {"constraint_name", &ErrorData::constraint_name}};

// Defines the property: a setter that the user put on a prototype is not asked.
void set(v8::Local<v8::Context> context, v8::Local<v8::Object> object, const char *key, const char *text) {
  if (text != nullptr) object->CreateDataProperty(context, js_string(key), js_string(text)).FromMaybe(false);
}

// A property as palloc'd text, null when it is missing; a throwing getter counts as missing.
char *text_property(v8::Local<v8::Context> context, v8::Local<v8::Object> object, const char *key) {
  v8::TryCatch ignore(isolate);
  v8::Local<v8::Value> value;
  if (!object->Get(context, js_string(key)).ToLocal(&value) || value->IsNullOrUndefined()) return nullptr;
  v8::Local<v8::String> text;
  if (!value->ToString(context).ToLocal(&text)) return nullptr;
  return c_string(text);
}

// What PostgreSQL said when it ended the statement below JavaScript; the termination that follows has no text.
int ending_code = 0;
char ending_message[256];
char ending_detail[256];

ErrorData *new_error(int code, const char *message) {
  ErrorData *e = static_cast<ErrorData *>(palloc0(sizeof(ErrorData)));
  e->elevel = ERROR;
  e->sqlerrcode = code;
  e->message = message != nullptr ? pstrdup(message) : nullptr;
  return e;
}

}  // namespace

// The statement ends: JavaScript cannot catch it.
void terminate_for(const ErrorData *e) {
  ending_code = e->sqlerrcode;
  strlcpy(ending_message, e->message != nullptr ? e->message : "", sizeof(ending_message));
  strlcpy(ending_detail, e->detail != nullptr ? e->detail : "", sizeof(ending_detail));
  isolate->TerminateExecution();
}

// The error of terminate_for(), once; JavaScript may have come to its end without looking at the termination.
ErrorData *ending_error() {
  if (ending_code == 0) return nullptr;
  ErrorData *e = new_error(ending_code, ending_message);
  if (ending_detail[0] != '\0') e->detail = pstrdup(ending_detail);
  ending_code = 0;
  return e;
}

void throw_into_js(const PgFailure &failure) {
  const ErrorData *e = failure.error;
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Object> error =
      v8::Exception::Error(js_string(e->message != nullptr ? e->message : "unknown error")).As<v8::Object>();
  set(context, error, "sqlerrcode", unpack_sql_state(e->sqlerrcode));
  error->CreateDataProperty(context, js_string("code"), v8::Integer::New(isolate, e->sqlerrcode)).FromMaybe(false);
  set(context, error, "context", e->context);
  for (const auto &f : FIELDS) set(context, error, f.name, e->*f.field);
  set(context, error, "internalquery", e->internalquery);
  if (e->internalpos > 0) error->CreateDataProperty(context, js_string("internalposition"), v8::Integer::New(isolate, e->internalpos)).FromMaybe(false);
  isolate->ThrowException(error);
}

ErrorData *exhausted_error() {
  ErrorData *e = new_error(ERRCODE_OUT_OF_MEMORY, "JavaScript ran out of memory");
  e->detail = psprintf("The limit is %d MB.", memory_limit);
  e->hint = pstrdup("Raise plv8.memory_limit, or work on less at a time.");
  return e;
}

void throw_pg(int sqlstate, const char *message) { throw PgFailure{new_error(sqlstate, message)}; }

// The error of an uncaught exception, in the current memory context.
ErrorData *js_error(v8::TryCatch &try_catch) {
  if (is_exhausted()) return exhausted_error();
  if (ErrorData *ending = ending_error()) return ending;
  if (try_catch.HasTerminated() || try_catch.Exception().IsEmpty())
    return new_error(ERRCODE_QUERY_CANCELED, "canceling statement due to user request");
  Running now(true);  // the exception may have getters
  ErrorData *e = new_error(ERRCODE_INTERNAL_ERROR, nullptr);
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Value> thrown = try_catch.Exception();
  char *stack = nullptr;
  if (thrown->IsObject()) {
    v8::Local<v8::Object> object = thrown.As<v8::Object>();
    char *message = text_property(context, object, "message");
    if (thrown->IsNativeError() && message != nullptr && strcmp(message, "Array buffer allocation failed") == 0) return exhausted_error();
    char *name = text_property(context, object, "name");
    if (message != nullptr && thrown->IsNativeError() && name != nullptr && strcmp(name, "Error") != 0)
      e->message = psprintf("%s: %s", name, message);
    else
      e->message = message;
    v8::Local<v8::Value> code;
    v8::TryCatch ignore(isolate);
    if (object->Get(context, js_string("code")).ToLocal(&code) && code->IsInt32() && code.As<v8::Int32>()->Value() > 0)
      e->sqlerrcode = code.As<v8::Int32>()->Value();
    for (const auto &f : FIELDS) e->*f.field = text_property(context, object, f.name);
    if (text_property(context, object, "sqlerrcode") != nullptr) {
      // PostgreSQL's own: its context names every level already, so it goes on as it is.
      stack = text_property(context, object, "context");
      e->output_to_client = true;
      e->output_to_server = log_min_messages <= ERROR;
    } else {
      stack = text_property(context, object, "stack");
      if (stack != nullptr) {  // frames only; the message stands above already
        char *frames = strstr(stack, "\n    at ");
        stack = frames != nullptr ? frames + 1 : nullptr;
      }
    }
  }
  if (e->message == nullptr) {
    v8::TryCatch ignore(isolate);
    v8::Local<v8::String> text;
    e->message = thrown->ToString(context).ToLocal(&text) ? c_string(text) : pstrdup("unknown JavaScript exception");
  }
  e->context = stack;
  return e;
}

// Called with no C++ or V8 frame of ours left on the stack but the caller's, which holds nothing. An error that
// PostgreSQL raised is thrown on; ereport() would collect the context of all levels again, at each of them.
void raise(ErrorData *e) {
  e->assoc_context = CurrentMemoryContext;
  if (e->output_to_client) ReThrowError(e);
  ereport(ERROR,
          (errcode(e->sqlerrcode), errmsg_internal("%s", e->message != nullptr ? e->message : "unknown error"),
           e->detail != nullptr ? errdetail_internal("%s", e->detail) : 0, e->hint != nullptr ? errhint("%s", e->hint) : 0,
           e->context != nullptr && e->context[0] != '\0' ? errcontext_msg("%s", e->context) : 0,
           e->schema_name != nullptr ? err_generic_string(PG_DIAG_SCHEMA_NAME, e->schema_name) : 0,
           e->table_name != nullptr ? err_generic_string(PG_DIAG_TABLE_NAME, e->table_name) : 0,
           e->column_name != nullptr ? err_generic_string(PG_DIAG_COLUMN_NAME, e->column_name) : 0,
           e->datatype_name != nullptr ? err_generic_string(PG_DIAG_DATATYPE_NAME, e->datatype_name) : 0,
           e->constraint_name != nullptr ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, e->constraint_name) : 0));
  pg_unreachable();
}

}  // namespace plv8
