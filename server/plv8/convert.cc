// Values across the border.
#include "plv8.h"

#include <cmath>
#include <unordered_map>

namespace plv8 {

namespace {

// PostgreSQL counts from 2000-01-01, JavaScript from 1970-01-01.
constexpr int64 EPOCH_DAYS = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
constexpr double MS_PER_DAY = 86400000.0;

std::unordered_map<Oid, TypeInfo *> types;

template <typename Array>
v8::Local<v8::Value> make_view(v8::Local<v8::ArrayBuffer> buffer, size_t count) {
  return Array::New(buffer, 0, count);
}

// The domains of the extension are typed arrays. Their memory is copied as it is, so a name alone is not enough: anybody
// may make a domain of that name elsewhere.
const TypedArrayKind KINDS[] = {
    {"plv8_int2array", INT2OID, 2, &v8::Value::IsInt16Array, make_view<v8::Int16Array>},
    {"plv8_int4array", INT4OID, 4, &v8::Value::IsInt32Array, make_view<v8::Int32Array>},
    {"plv8_int8array", INT8OID, 8, &v8::Value::IsBigInt64Array, make_view<v8::BigInt64Array>},
    {"plv8_float4array", FLOAT4OID, 4, &v8::Value::IsFloat32Array, make_view<v8::Float32Array>},
    {"plv8_float8array", FLOAT8OID, 8, &v8::Value::IsFloat64Array, make_view<v8::Float64Array>}};

// Runs inside guard().
const TypedArrayKind *typed_array_kind(Oid domain, Oid base) {
  for (const TypedArrayKind &k : KINDS)
    if (get_element_type(base) == k.element &&
        GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(k.name), ObjectIdGetDatum(PG_CATALOG_NAMESPACE)) == domain)
      return &k;
  return nullptr;
}

// What a typed array was made of: plv8 hands that back to SQL, whatever JavaScript wrote into the array since.
v8::Local<v8::Private> original_key() { return v8::Private::ForApi(isolate, js_name("plv8.original")); }

const TypedArrayKind *kind_of(v8::Local<v8::Object> array) {
  for (const TypedArrayKind &k : KINDS)
    if (((**array).*k.matches)()) return &k;
  return nullptr;
}

v8::Local<v8::Value> parse_json(const char *text, int length) {
  return must(v8::JSON::Parse(isolate->GetCurrentContext(), js_string(text, length)));
}

v8::Local<v8::Value> date_from_ms(double ms) { return must(v8::Date::New(isolate->GetCurrentContext(), ms)); }

// Microseconds are dropped toward 1970.
double timestamp_ms(Timestamp value) {
  if (TIMESTAMP_NOT_FINITE(value)) return std::nan("");
  int64 micros = value + EPOCH_DAYS * USECS_PER_DAY;
  return static_cast<double>(micros / 1000);
}

bool is_well_formed(v8::Local<v8::Value> text) {
  v8::String::Value units(isolate, text);
  for (int i = 0; i < units.length(); i++) {
    uint16_t unit = (*units)[i];
    if (unit < 0xD800 || unit > 0xDFFF) continue;
    if (unit > 0xDBFF || i + 1 == units.length() || ((*units)[i + 1] & 0xFC00) != 0xDC00) return false;
    i++;
  }
  return true;
}

// Pseudo-types have neither input nor output here.
void need_io(const TypeInfo *type) {
  if (!OidIsValid(type->output.fn_oid)) throw_pg(ERRCODE_FEATURE_NOT_SUPPORTED, "values of a pseudo-type cannot reach JavaScript");
}

char *output(Datum value, TypeInfo *type) {
  need_io(type);
  char *text = nullptr;
  guard([&] { text = OutputFunctionCall(&type->output, value); });
  return text;
}

v8::Local<v8::Value> text_of(Datum value, TypeInfo *type) {
  char *text = output(value, type);
  v8::Local<v8::String> result = js_string(text);
  pfree(text);
  return result;
}

v8::Local<v8::Value> varlena_text(Datum value) {
  text *t = nullptr;
  guard([&] { t = DatumGetTextPP(value); });
  v8::Local<v8::String> result = js_string(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
  if (reinterpret_cast<Pointer>(t) != DatumGetPointer(value)) pfree(t);
  return result;
}

v8::Local<v8::Value> bytes_to_js(Datum value) {
  bytea *bytes = nullptr;
  guard([&] { bytes = DatumGetByteaPP(value); });
  size_t size = VARSIZE_ANY_EXHDR(bytes);
  v8::Local<v8::ArrayBuffer> buffer = new_buffer(size);
  if (size > 0) memcpy(buffer->GetBackingStore()->Data(), VARDATA_ANY(bytes), size);
  if (reinterpret_cast<Pointer>(bytes) != DatumGetPointer(value)) pfree(bytes);
  return v8::Uint8Array::New(buffer, 0, size);
}

// As plv8: what it cannot show as a typed array is an error.
v8::Local<v8::Value> typed_array_to_js(Datum value, TypeInfo *type) {
  ArrayType *array = nullptr;
  guard([&] {
    array = DatumGetArrayTypeP(value);
    if (type->element == INT8OID) elog(ERROR, "unexpected array type");
    if (ARR_NDIM(array) == 0) elog(ERROR, "Out of memory error");
    if (ARR_NDIM(array) != 1 || ARR_HASNULL(array))
      elog(ERROR, "NULL element, or multi-dimension array not allowed in external array type");
  });
  size_t count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
  size_t bytes = count * type->typed_array->width;
  v8::Local<v8::ArrayBuffer> buffer = new_buffer(bytes);
  v8::Local<v8::ArrayBuffer> original = new_buffer(bytes);
  memcpy(buffer->GetBackingStore()->Data(), ARR_DATA_PTR(array), bytes);
  memcpy(original->GetBackingStore()->Data(), ARR_DATA_PTR(array), bytes);
  v8::Local<v8::Object> view = type->typed_array->view(buffer, count).As<v8::Object>();
  view->SetPrivate(isolate->GetCurrentContext(), original_key(), original).Check();
  return view;
}

v8::Local<v8::Value> array_to_js(Datum value, TypeInfo *type) {
  Datum *values = nullptr;
  bool *nulls = nullptr;
  int count = 0;
  TypeInfo *element = type_info(type->element);
  guard([&] {
    deconstruct_array(DatumGetArrayTypeP(value), element->oid, element->length, element->by_value, element->alignment,
                      &values, &nulls, &count);
  });
  std::vector<v8::Local<v8::Value>> items(count);
  for (int i = 0; i < count; i++) items[i] = to_js(values[i], nulls[i], element);
  if (values != nullptr) pfree(values);
  if (nulls != nullptr) pfree(nulls);
  return v8::Array::New(isolate, items.data(), items.size());
}

v8::Local<v8::Value> record_to_js(Datum value) {
  HeapTupleHeader header = nullptr;
  TupleDesc desc = nullptr;
  guard([&] {
    header = DatumGetHeapTupleHeader(value);
    desc = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
  });
  HeapTupleData tuple;
  memset(&tuple, 0, sizeof(tuple));
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  ItemPointerSetInvalid(&tuple.t_self);
  tuple.t_data = header;
  v8::Local<v8::Value> result = tuple_to_js(&tuple, desc);
  FreeTupleDesc(desc);
  return result;
}

Datum input(char *text, TypeInfo *type, int32 typmod) {
  need_io(type);
  Datum result = 0;
  guard([&] { result = InputFunctionCall(&type->input, text, type->io_param, typmod); });
  return result;
}

// The value's string form, through the type's input function.
Datum input_value(v8::Local<v8::Value> value, TypeInfo *type) { return input(value_text(value), type, -1); }

// A string is JSON already, as with plv8; anything else is written as JSON.
Datum json_input(v8::Local<v8::Value> value, TypeInfo *type) {
  if (!value->IsObject()) return input_value(value, type);
  v8::Local<v8::Value> text = must(v8::JSON::Stringify(isolate->GetCurrentContext(), value));
  if (text->IsUndefined()) throw_pg(ERRCODE_DATATYPE_MISMATCH, "value has no JSON form");
  return input_value(text, type);
}

// A typed array of plv8's own goes back as what it was made of. Of any other plv8 dies.
Datum typed_array_from_js(v8::Local<v8::Object> array, TypeInfo *type) {
  v8::Local<v8::Value> original = must(array->GetPrivate(isolate->GetCurrentContext(), original_key()));
  const TypedArrayKind *kind = kind_of(array);
  if (!original->IsArrayBuffer() || kind == nullptr || kind->element != type->element)
    throw_pg(ERRCODE_FEATURE_NOT_SUPPORTED, "a typed array made by JavaScript cannot become an array of SQL",
             "Convert it with Array.from().");
  size_t bytes = original.As<v8::ArrayBuffer>()->ByteLength();
  ArrayType *result = nullptr;
  guard([&] {
    Size size = ARR_OVERHEAD_NONULLS(1) + bytes;
    result = static_cast<ArrayType *>(palloc0(size));
    SET_VARSIZE(result, size);
    result->ndim = 1;
    result->dataoffset = 0;
    result->elemtype = type->element;
    ARR_DIMS(result)[0] = static_cast<int>(bytes / kind->width);
    ARR_LBOUND(result)[0] = 1;
  });
  memcpy(ARR_DATA_PTR(result), original.As<v8::ArrayBuffer>()->GetBackingStore()->Data(), bytes);
  return PointerGetDatum(result);
}

Datum array_from_js(v8::Local<v8::Value> value, TypeInfo *type) {
  if (value->IsTypedArray()) return typed_array_from_js(value.As<v8::Object>(), type);
  if (!value->IsArray()) throw_pg(ERRCODE_INTERNAL_ERROR, "value is not an Array");
  v8::Local<v8::Array> items = value.As<v8::Array>();
  size_t count = items->Length();
  TypeInfo *element = type_info(type->element);
  Datum *values = nullptr;
  bool *nulls = nullptr;
  guard([&] {
    values = static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1)));
    nulls = static_cast<bool *>(palloc(sizeof(bool) * (count + 1)));
  });
  for (size_t i = 0; i < count; i++) {
    v8::HandleScope scope(isolate);
    check_interrupts();
    values[i] = from_js(must(items->Get(isolate->GetCurrentContext(), static_cast<uint32_t>(i))), &nulls[i], element);
  }
  Datum result = 0;
  guard([&] {
    int dims[1] = {static_cast<int>(count)};
    int lower[1] = {1};
    ArrayType *array = count == 0 ? construct_empty_array(element->oid)
                                  : construct_md_array(values, nulls, 1, dims, lower, element->oid, element->length,
                                                       element->by_value, element->alignment);
    result = PointerGetDatum(array);
    pfree(values);
    pfree(nulls);
  });
  return result;
}

// plv8 looks at a domain, not at what it stands for: values go in as text, and arrays and rows not at all.
Datum domain_from_js(v8::Local<v8::Value> value, bool *is_null, TypeInfo *type) {
  if (*is_null) {  // plv8 lets it pass
    guard([&] { domain_check(0, true, type->oid, &type->constraints, TopMemoryContext); });
    return 0;
  }
  if (type->typed_array != nullptr) {
    if (value->IsTypedArray()) return typed_array_from_js(value.As<v8::Object>(), type);
    if (!value->IsArray()) throw_pg(ERRCODE_INTERNAL_ERROR, "value is not an Array");
    if (value.As<v8::Array>()->Length() > 0)  // it takes each element for an array
      return input_value(must(value.As<v8::Array>()->Get(isolate->GetCurrentContext(), 0)), type);
    Datum result = 0;
    guard([&] { result = PointerGetDatum(construct_empty_array(type->element)); });
    return result;
  }
  refuse_array_domain(type);
  if (type->composite) guard([&] {
      ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("type %s is not composite", format_type_be(type->oid))));
    });
  return input_value(value, type);
}

Datum composite_from_js(v8::Local<v8::Value> value, TypeInfo *type) {
  if (type->oid == RECORDOID) throw_pg(ERRCODE_FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented");
  TupleDesc desc = nullptr;
  guard([&] { desc = lookup_rowtype_tupdesc_copy(type->oid, -1); });
  HeapTuple tuple = js_to_tuple(value, desc);
  Datum result = 0;
  guard([&] { result = HeapTupleGetDatum(tuple); });
  return result;
}

// The typed arrays that plv8 takes; of the others it dies.
bool is_bytes(v8::Local<v8::Value> value) {
  return value->IsUint8Array() || value->IsInt8Array() || value->IsUint16Array() || value->IsInt16Array() ||
         value->IsUint32Array() || value->IsInt32Array();
}

Datum bytes_from_js(v8::Local<v8::Value> value, TypeInfo *type) {
  if (value->IsArrayBuffer()) value = v8::Uint8Array::New(value.As<v8::ArrayBuffer>(), 0, value.As<v8::ArrayBuffer>()->ByteLength());
  if (!is_bytes(value)) {
    if (value->IsArrayBufferView() || value->IsSharedArrayBuffer())
      throw_pg(ERRCODE_FEATURE_NOT_SUPPORTED, "bytea cannot be made of this kind of typed array",
               "Hand over a Uint8Array of its buffer.");
    return input_value(value, type);
  }
  v8::Local<v8::ArrayBufferView> view = value.As<v8::ArrayBufferView>();
  size_t size = view->ByteLength();
  bytea *result = nullptr;
  guard([&] { result = static_cast<bytea *>(palloc(VARHDRSZ + size)); });
  SET_VARSIZE(result, VARHDRSZ + size);
  view->CopyContents(VARDATA(result), size);
  return PointerGetDatum(result);
}

double number(v8::Local<v8::Value> value) {
  v8::Maybe<double> n = value->NumberValue(isolate->GetCurrentContext());
  if (n.IsNothing()) throw JsPending{};
  return n.FromJust();
}

int32 wrapped(v8::Local<v8::Value> value) {
  v8::Maybe<int32> n = value->Int32Value(isolate->GetCurrentContext());
  if (n.IsNothing()) throw JsPending{};
  return n.FromJust();
}

int64 wide(v8::Local<v8::Value> value) {
  if (value->IsBigInt()) return value.As<v8::BigInt>()->Int64Value();
  v8::Maybe<int64_t> n = value->IntegerValue(isolate->GetCurrentContext());
  if (n.IsNothing()) throw JsPending{};
  return n.FromJust();
}

}  // namespace

TypeInfo *type_info(Oid oid) {
  auto found = types.find(oid);
  if (found != types.end()) return found->second;
  TypeInfo *type = nullptr;
  guard([&] {
    type = static_cast<TypeInfo *>(MemoryContextAllocZero(TopMemoryContext, sizeof(TypeInfo)));
    type->oid = oid;
    get_typlenbyvalalign(oid, &type->length, &type->by_value, &type->alignment);
    type->kind = get_typtype(oid);
    type->element = get_base_element_type(oid);
    type->composite = type_is_rowtype(oid);
    type->base_typmod = -1;
    type->base = getBaseTypeAndTypmod(oid, &type->base_typmod);
    if (type->kind == TYPTYPE_DOMAIN) type->typed_array = typed_array_kind(oid, type->base);
    if (type->kind != TYPTYPE_PSEUDO || oid == RECORDOID || oid == CSTRINGOID || oid == VOIDOID) {
      Oid function;
      bool varlena;
      getTypeInputInfo(oid, &function, &type->io_param);
      fmgr_info_cxt(function, &type->input, TopMemoryContext);
      getTypeOutputInfo(oid, &function, &varlena);
      fmgr_info_cxt(function, &type->output, TopMemoryContext);
    }
  });
  types.emplace(oid, type);
  return type;
}

// Text in the encoding of the database as UTF-8; itself when that is what it is, or when it cannot be converted.
const char *utf8(const char *text, int *length) {
  if (GetDatabaseEncoding() == PG_UTF8) return text;
  const char *converted = text;
  try {
    guard([&] { converted = pg_server_to_any(text, *length, PG_UTF8); });
  } catch (const PgFailure &failure) {
    FreeErrorData(failure.error);
  }
  if (converted != text) *length = static_cast<int>(strlen(converted));
  return converted;
}

v8::Local<v8::String> js_name(const char *text) {
  int length = static_cast<int>(strlen(text));
  text = utf8(text, &length);
  return must(v8::String::NewFromUtf8(isolate, text, v8::NewStringType::kInternalized, length));
}

v8::Local<v8::String> js_string(const char *text, int length) {
  v8::Local<v8::String> result;
  text = utf8(text, &length);
  if (!v8::String::NewFromUtf8(isolate, text, v8::NewStringType::kNormal, length).ToLocal(&result))
    throw_range_error("text is too long for a string");
  return result;
}

v8::Local<v8::String> js_string(const char *text) { return js_string(text, static_cast<int>(strlen(text))); }

// Ends at a zero character, as with plv8.
char *c_string(v8::Local<v8::Value> value) {
  v8::Local<v8::String> text = must(value->ToString(isolate->GetCurrentContext()));
  int length = text->Utf8Length(isolate);
  char *buffer = nullptr;
  guard([&] { buffer = static_cast<char *>(palloc(length + 1)); });
  text->WriteUtf8(isolate, buffer, length, nullptr, v8::String::NO_NULL_TERMINATION | v8::String::REPLACE_INVALID_UTF8);
  buffer[length] = '\0';
  length = static_cast<int>(strlen(buffer));
  if (GetDatabaseEncoding() != PG_UTF8) guard([&] { buffer = pg_any_to_server(buffer, length, PG_UTF8); });
  return buffer;
}

// Half a surrogate pair has no form in UTF-8; plv8 writes bytes into the table that are none.
char *value_text(v8::Local<v8::Value> value) {
  char *text = c_string(value);
  if (strstr(text, "\xEF\xBF\xBD") != nullptr && !is_well_formed(value))
    throw_pg(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, "text cannot contain half of a surrogate pair");
  return text;
}

// With a column of such a domain plv8 never ends.
void refuse_array_domain(const TypeInfo *type) {
  if (type->kind != TYPTYPE_DOMAIN || type->element == InvalidOid || type->typed_array != nullptr) return;
  guard([&] { elog(ERROR, "cannot determine element type of array: %u", type->oid); });
}

void throw_range_error(const char *message) {
  isolate->ThrowException(v8::Exception::RangeError(js_string(message)));
  throw JsPending{};
}

void throw_js(const char *message) {
  isolate->ThrowException(v8::Exception::Error(js_string(message)));
  throw JsPending{};
}

v8::Local<v8::Value> to_js(Datum value, bool is_null, TypeInfo *type) {
  if (is_null) return v8::Null(isolate);
  switch (type->oid) {
    case BOOLOID:
      return v8::Boolean::New(isolate, DatumGetBool(value));
    case INT2OID:
      return v8::Integer::New(isolate, DatumGetInt16(value));
    case INT4OID:
      return v8::Integer::New(isolate, DatumGetInt32(value));
    case OIDOID:
      return v8::Integer::New(isolate, static_cast<int32>(DatumGetObjectId(value)));
    case INT8OID:
      return v8::BigInt::New(isolate, DatumGetInt64(value));
    case FLOAT4OID:
      return v8::Number::New(isolate, DatumGetFloat4(value));
    case FLOAT8OID:
      return v8::Number::New(isolate, DatumGetFloat8(value));
    case NUMERICOID: {
      double n = 0;
      guard([&] { n = DatumGetFloat8(DirectFunctionCall1(numeric_float8, value)); });
      return v8::Number::New(isolate, n);
    }
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
    case XMLOID:
      return varlena_text(value);
    case NAMEOID:
      return js_string(NameStr(*DatumGetName(value)));
    case JSONOID: {
      text *t = nullptr;
      guard([&] { t = DatumGetTextPP(value); });
      return parse_json(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
    }
    case JSONBOID: {
      char *text = nullptr;
      guard([&] {
        Jsonb *jb = DatumGetJsonbP(value);
        text = JsonbToCString(NULL, &jb->root, VARSIZE(jb));
      });
      check_jsonb_numbers(text);
      v8::Local<v8::Value> result = parse_json(text, static_cast<int>(strlen(text)));
      if (strstr(text, "\"__proto__\"") != nullptr) assign_prototypes(result);
      pfree(text);
      return result;
    }
    case DATEOID: {
      DateADT days = DatumGetDateADT(value);
      return date_from_ms(DATE_NOT_FINITE(days) ? std::nan("") : static_cast<double>(days + EPOCH_DAYS) * MS_PER_DAY);
    }
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
      return date_from_ms(timestamp_ms(DatumGetTimestamp(value)));
    case BYTEAOID:
      return bytes_to_js(value);
    case VOIDOID:
      return v8::Undefined(isolate);
    default:
      break;
  }
  if (type->typed_array != nullptr) return typed_array_to_js(value, type);
  if (type->composite) return record_to_js(value);
  if (type->kind == TYPTYPE_DOMAIN) {
    refuse_array_domain(type);
    return text_of(value, type);
  }
  if (type->element != InvalidOid && type->length == -1) return array_to_js(value, type);
  return text_of(value, type);
}

// Numbers and Dates go in as such, everything else as text: plv8 does not convert `true` or `[5]` to a number.
Datum from_js(v8::Local<v8::Value> value, bool *is_null, TypeInfo *type) {
  *is_null = value->IsNullOrUndefined();
  if (type->kind == TYPTYPE_DOMAIN) return domain_from_js(value, is_null, type);
  if (*is_null || type->oid == VOIDOID) return 0;
  switch (type->oid) {
    case JSONOID:
      return json_input(value, type);
    case JSONBOID:
      return jsonb_from_js(value);
    case BOOLOID:
      if (!value->IsBoolean()) break;
      return BoolGetDatum(value->BooleanValue(isolate));
    case INT2OID:
      if (!value->IsNumber()) break;
      return Int16GetDatum(static_cast<int16>(wrapped(value)));
    case INT4OID:
      if (!value->IsNumber()) break;
      return Int32GetDatum(wrapped(value));
    case OIDOID:
      if (!value->IsNumber()) break;
      return ObjectIdGetDatum(static_cast<Oid>(wrapped(value)));
    case INT8OID:
      if (!value->IsNumber() && !value->IsBigInt()) break;
      return Int64GetDatum(wide(value));
    case FLOAT4OID:
      if (!value->IsNumber()) break;
      return Float4GetDatum(static_cast<float4>(number(value)));
    case FLOAT8OID:
      if (!value->IsNumber()) break;
      return Float8GetDatum(number(value));
    case NUMERICOID: {
      if (!value->IsNumber()) break;
      double n = number(value);
      Datum result = 0;
      guard([&] { result = DirectFunctionCall1(float8_numeric, Float8GetDatum(n)); });
      return result;
    }
    case DATEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID: {
      if (!value->IsDate()) break;
      double ms = value.As<v8::Date>()->ValueOf();
      if (std::isnan(ms)) throw_pg(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "Date is invalid");
      Timestamp timestamp = static_cast<int64>(ms) * 1000 - EPOCH_DAYS * USECS_PER_DAY;
      if (!IS_VALID_TIMESTAMP(timestamp)) throw_pg(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range");
      // Toward 2000-01-01, as plv8 does.
      return type->oid == DATEOID ? DateADTGetDatum(static_cast<DateADT>(timestamp / USECS_PER_DAY)) : TimestampGetDatum(timestamp);
    }
    case BYTEAOID:
      return bytes_from_js(value, type);
    default:
      if (type->element != InvalidOid && type->length == -1) return array_from_js(value, type);
      if (type->composite) return composite_from_js(value, type);
  }
  return input_value(value, type);
}

v8::Local<v8::Object> tuple_to_js(HeapTuple tuple, TupleDesc desc) {
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Object> object = v8::Object::New(isolate);
  for (int i = 0; i < desc->natts; i++) {
    Form_pg_attribute attribute = TupleDescAttr(desc, i);
    if (attribute->attisdropped) continue;
    bool is_null = false;
    Datum value = heap_getattr(tuple, i + 1, desc, &is_null);
    v8::Local<v8::String> name = js_name(NameStr(attribute->attname));
    v8::Local<v8::Value> converted = to_js(value, is_null, type_info(attribute->atttypid));
    if (object->CreateDataProperty(context, name, converted).IsNothing()) throw JsPending{};
  }
  return object;
}

HeapTuple js_to_tuple(v8::Local<v8::Value> value, TupleDesc desc) {
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  if (!value->IsObject()) throw_pg(ERRCODE_INTERNAL_ERROR, "argument must be an object");
  v8::Local<v8::Object> object = value.As<v8::Object>();
  Datum *values = static_cast<Datum *>(palloc0(sizeof(Datum) * desc->natts));
  bool *nulls = static_cast<bool *>(palloc0(sizeof(bool) * desc->natts));
  for (int i = 0; i < desc->natts; i++) {
    Form_pg_attribute attribute = TupleDescAttr(desc, i);
    nulls[i] = true;
    if (attribute->attisdropped || attribute->attgenerated != '\0') continue;
    v8::Local<v8::String> name = js_name(NameStr(attribute->attname));
    v8::Maybe<bool> has = object->Has(context, name);
    if (has.IsNothing()) throw JsPending{};
    if (!has.FromJust()) throw_pg(ERRCODE_INTERNAL_ERROR, "field name / property name mismatch");
    values[i] = from_js(must(object->Get(context, name)), &nulls[i], type_info(attribute->atttypid));
    if (!nulls[i] && attribute->atttypmod >= 0) {
      // A declared length or precision is checked by the input function.
      TypeInfo *type = type_info(attribute->atttypid);
      values[i] = input(output(values[i], type), type, attribute->atttypmod);
    }
  }
  HeapTuple tuple = nullptr;
  guard([&] { tuple = heap_form_tuple(desc, values, nulls); });
  pfree(values);
  pfree(nulls);
  return tuple;
}

}  // namespace plv8
