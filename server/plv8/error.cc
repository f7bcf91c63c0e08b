// Errors both ways: PostgreSQL's ErrorData to a JavaScript Error, and back.
#include "plv8.h"

namespace plv8 {

namespace {

// Fields that an exception carries under their own names.
const struct {
  const char *name;
  char *ErrorData::*field;
} FIELDS[] = {{"schema_name", &ErrorData::schema_name},
              {"table_name", &ErrorData::table_name},
              {"column_name", &ErrorData::column_name},
              {"datatype_name", &ErrorData::datatype_name},
              {"constraint_name", &ErrorData::constraint_name},
              {"detail", &ErrorData::detail},
              {"hint", &ErrorData::hint},
              {"context", &ErrorData::context},
              {"internalquery", &ErrorData::internalquery}};

// Defines the property: a setter that the user put on a prototype is not asked.
void set(v8::Local<v8::Context> context, v8::Local<v8::Object> object, const char *key, const char *text) {
  v8::Local<v8::Value> value = v8::Null(isolate);
  if (text != nullptr) value = js_string(text);
  object->CreateDataProperty(context, js_string(key), value).FromMaybe(false);
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

// All fields are there, null where PostgreSQL said nothing.
void throw_into_js(const PgFailure &failure) {
  const ErrorData *e = failure.error;
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Object> error =
      v8::Exception::Error(js_string(e->message != nullptr ? e->message : "unknown error")).As<v8::Object>();
  set(context, error, "sqlerrcode", unpack_sql_state(e->sqlerrcode));
  for (const auto &f : FIELDS) set(context, error, f.name, e->*f.field);
  error->CreateDataProperty(context, js_string("code"), v8::Integer::New(isolate, e->sqlerrcode)).FromMaybe(false);
  isolate->ThrowException(error);
}

ErrorData *exhausted_error() {
  ErrorData *e = new_error(ERRCODE_INTERNAL_ERROR, "Out of memory error");  // plv8 gives no code
  e->detail = psprintf("The limit is %d MB.", memory_limit);
  e->hint = pstrdup("Raise plv8.memory_limit, or work on less at a time.");
  return e;
}

void throw_pg(int sqlstate, const char *message, const char *hint) {
  guard([&] { ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message), hint != nullptr ? errhint("%s", hint) : 0)); });
  pg_unreachable();
}

// What PostgreSQL shows of an exception; the name of a plain Error is left out.
char *exception_text(v8::Local<v8::Value> thrown) {
  v8::TryCatch ignore(isolate);
  v8::Local<v8::String> text;
  if (!thrown->ToString(isolate->GetCurrentContext()).ToLocal(&text)) return pstrdup("unknown JavaScript exception");
  char *shown = c_string(text);
  return strncmp(shown, "Error: ", 7) == 0 ? shown + 7 : shown;
}

namespace {

// Where it was thrown, with the line of source; the first line of a script holds the head of the function.
char *failing_line(v8::Local<v8::Message> message) {
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::TryCatch ignore(isolate);
  v8::Local<v8::String> line;
  v8::Local<v8::String> name;
  if (message.IsEmpty() || !message->GetSourceLine(context).ToLocal(&line)) return nullptr;
  if (!message->GetScriptResourceName()->ToString(context).ToLocal(&name)) return nullptr;
  return psprintf("%s() LINE %d: %s", c_string(name), message->GetLineNumber(context).FromMaybe(1) - 1, c_string(line));
}

}  // namespace

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
  e->message = exception_text(thrown);
  char *line = failing_line(try_catch.Message());
  char *below = nullptr;
  if (thrown->IsObject()) {
    v8::Local<v8::Object> object = thrown.As<v8::Object>();
    v8::Local<v8::Value> code;
    v8::TryCatch ignore(isolate);
    if (object->Get(context, js_string("code")).ToLocal(&code) && !code->IsNullOrUndefined()) {
      int32_t packed = code->Int32Value(context).FromMaybe(0);
      if (packed > 0) e->sqlerrcode = packed;
    }
    e->detail = text_property(context, object, "detail");
    e->hint = text_property(context, object, "hint");
    below = text_property(context, object, "context");  // of the statement that PostgreSQL ended
    // Each level adds all that stand above it, so an endless recursion through SQL would take minutes to report.
    constexpr size_t LONGEST = 16384;
    if (below != nullptr && strlen(below) > LONGEST) below = psprintf("%s\n...", pnstrdup(below, pg_mbcliplen(below, LONGEST, LONGEST)));
  }
  e->context = below == nullptr ? line : line == nullptr ? below : psprintf("%s\n%s", below, line);
  return e;
}

// Called with no C++ or V8 frame of ours left on the stack but the caller's, which holds nothing. An error that
// PostgreSQL raised outside JavaScript, for a result for instance, is thrown on.
void raise(ErrorData *e) {
  e->assoc_context = CurrentMemoryContext;
  if (e->output_to_client) ReThrowError(e);
  ereport(ERROR, (errcode(e->sqlerrcode), errmsg_internal("%s", e->message != nullptr ? e->message : "unknown error"),
                  e->detail != nullptr ? errdetail_internal("%s", e->detail) : 0,
                  e->hint != nullptr ? errhint("%s", e->hint) : 0,
                  e->context != nullptr && e->context[0] != '\0' ? errcontext_msg("%s", e->context) : 0));
  pg_unreachable();
}

}  // namespace plv8
