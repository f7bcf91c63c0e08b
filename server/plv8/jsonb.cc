// jsonb as plv8 sees it: numbers are doubles, written with 15 digits.
#include "plv8.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>

namespace plv8 {

namespace {

void scalar(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value, JsonbValue **root) {
  if (*state != nullptr) {
    *root = pushJsonbValue(state, token, value);
    return;
  }
  // One that stands alone is an array marked as such.
  JsonbValue raw;
  raw.type = jbvArray;
  raw.val.array.rawScalar = true;
  raw.val.array.nElems = 1;
  pushJsonbValue(state, WJB_BEGIN_ARRAY, &raw);
  pushJsonbValue(state, WJB_ELEM, value);
  *root = pushJsonbValue(state, WJB_END_ARRAY, nullptr);
}

void set_text(JsonbValue *target, v8::Local<v8::Value> value) {
  char *text = value_text(value);
  target->type = jbvString;
  target->val.string.val = text;
  target->val.string.len = static_cast<int>(strlen(text));
}

class Writer {
 public:
  JsonbValue *write(v8::Local<v8::Value> value) {
    add(WJB_ELEM, value, false);
    return root_;
  }

 private:
  void push(JsonbIteratorToken token, JsonbValue *value) {
    guard([&] { root_ = pushJsonbValue(&state_, token, value); });
  }

  void add(JsonbIteratorToken token, v8::Local<v8::Value> value, bool nested) {
    guard([] { check_stack_depth(); });
    check_interrupts();
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    if (value->IsArray()) return add_array(value.As<v8::Array>());
    JsonbValue item;
    if (value->IsNull()) {
      item.type = jbvNull;
    } else if (value->IsBoolean()) {
      item.type = jbvBool;
      item.val.boolean = value->IsTrue();
    } else if (value->IsNumber()) {
      double n = value.As<v8::Number>()->Value();
      // plv8 stores a value that its own text form cannot be read back from.
      if (!std::isfinite(n)) throw_pg(ERRCODE_INVALID_PARAMETER_VALUE, "jsonb cannot hold NaN or Infinity");
      item.type = jbvNumeric;
      guard([&] { item.val.numeric = DatumGetNumeric(DirectFunctionCall1(float8_numeric, Float8GetDatum(n))); });
    } else if (nested && value->IsDate() && !std::isnan(value.As<v8::Date>()->ValueOf())) {
      v8::Local<v8::Value> format = must(value.As<v8::Object>()->Get(context, js_name("toISOString")));
      if (!format->IsFunction()) return add_object(value.As<v8::Object>());
      set_text(&item, must(format.As<v8::Function>()->Call(context, value, 0, nullptr)));
    } else if (value->IsObject()) {
      return add_object(value.As<v8::Object>());
    } else {  // strings, and BigInt as one
      set_text(&item, value);
    }
    guard([&] { scalar(&state_, token, &item, &root_); });
  }

  void add_array(v8::Local<v8::Array> array) {
    push(WJB_BEGIN_ARRAY, nullptr);
    for (uint32_t i = 0; i < array->Length(); i++) {
      v8::HandleScope scope(isolate);
      v8::Local<v8::Value> element = must(array->Get(isolate->GetCurrentContext(), i));
      if (!element->IsUndefined()) add(WJB_ELEM, element, false);
    }
    push(WJB_END_ARRAY, nullptr);
  }

  // Own properties, functions included; toJSON() is not asked.
  void add_object(v8::Local<v8::Object> object) {
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    push(WJB_BEGIN_OBJECT, nullptr);
    v8::Local<v8::Array> names = must(object->GetOwnPropertyNames(context));
    for (uint32_t i = 0; i < names->Length(); i++) {
      v8::HandleScope scope(isolate);
      v8::Local<v8::Value> name = must(names->Get(context, i));
      v8::Local<v8::Value> value = must(object->Get(context, name));
      if (value->IsUndefined()) continue;
      JsonbValue key;
      set_text(&key, name);
      push(WJB_KEY, &key);
      add(WJB_VALUE, value, true);
    }
    push(WJB_END_OBJECT, nullptr);
  }

  JsonbParseState *state_ = nullptr;
  JsonbValue *root_ = nullptr;
};

}  // namespace

Datum jsonb_from_js(v8::Local<v8::Value> value) {
  if (value->IsSymbol()) throw_pg(ERRCODE_DATATYPE_MISMATCH, "value has no JSON form");
  Writer writer;
  JsonbValue *root = writer.write(value);
  Datum result = 0;
  guard([&] { result = JsonbPGetDatum(JsonbValueToJsonb(root)); });
  return result;
}

// A number that no double holds is an error.
void check_jsonb_numbers(const char *text) {
  constexpr size_t SHORTEST = 300;  // digits of such a number
  bool in_string = false;
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == '"') in_string = !in_string;
    if (*at == '\\') at++;
    if (in_string || *at < '0' || *at > '9') continue;
    size_t length = strspn(at, "0123456789.");
    if (length >= SHORTEST) {
      errno = 0;
      double n = strtod(at, nullptr);
      if (errno == ERANGE && (n == 0 || std::isinf(n)))
        guard([&] {
          ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                          errmsg("\"%s\" is out of range for type double precision", pnstrdup(at, length))));
        });
    }
    at += length - 1;
  }
}

// plv8 assigns properties, and one of this name is the prototype.
void assign_prototypes(v8::Local<v8::Value> value) {
  if (!value->IsObject()) return;
  check_interrupts();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Object> object = value.As<v8::Object>();
  v8::Local<v8::Array> names = must(object->GetOwnPropertyNames(context));
  for (uint32_t i = 0; i < names->Length(); i++) {
    v8::HandleScope scope(isolate);
    v8::Local<v8::Value> name = must(names->Get(context, i));
    v8::Local<v8::Value> inner = must(object->Get(context, name));
    assign_prototypes(inner);
    if (!name->IsString() || !name.As<v8::String>()->StringEquals(js_name("__proto__"))) continue;
    if (object->Delete(context, name).IsNothing() || object->Set(context, name, inner).IsNothing()) throw JsPending{};
  }
}

}  // namespace plv8
