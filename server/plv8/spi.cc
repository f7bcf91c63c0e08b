// The plv8 object: SQL from JavaScript.
#include "plv8.h"

#include <memory>

extern "C" {
#include "parser/parse_type.h"
}

namespace plv8 {

Call *current_call = nullptr;

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// The error becomes an exception of JavaScript, and goes.
void hand_over(const PgFailure &failure) {
  if (failure.error->sqlerrcode == ERRCODE_QUERY_CANCELED) terminate_for(failure.error);
  try {
    throw_into_js(failure);
  } catch (const JsPending &) {  // a text of it is too long: that is the exception now
  }
  FreeErrorData(failure.error);
}

// Callbacks return to V8, which knows no C++ exceptions: every one of them ends here.
template <typename Body>
void callback(const Info &info, Body body) {
  try {
    body();
  } catch (const PgFailure &failure) {
    hand_over(failure);
  } catch (const JsPending &) {
  }
}

constexpr uint32_t MAX_PARAMETERS = 65535;  // as many as a client may bind

struct ParameterTypes {
  Oid *types;
  int count;
};

void parser_setup(ParseState *state, void *arg) {
  ParameterTypes *p = static_cast<ParameterTypes *>(arg);
  setup_parse_variable_parameters(state, &p->types, &p->count);
}

// Parameters from an Array or from the remaining arguments of the call.
std::vector<v8::Local<v8::Value>> parameters(const Info &info, int from) {
  std::vector<v8::Local<v8::Value>> values;
  if (info.Length() == from + 1 && info[from]->IsArray()) {
    v8::Local<v8::Array> array = info[from].As<v8::Array>();
    if (array->Length() > MAX_PARAMETERS) throw_pg(ERRCODE_TOO_MANY_ARGUMENTS, "too many parameters");
    for (uint32_t i = 0; i < array->Length(); i++) values.push_back(must(array->Get(isolate->GetCurrentContext(), i)));
  } else {
    for (int i = from; i < info.Length(); i++) values.push_back(info[i]);
  }
  return values;
}

struct Prepared {
  SPIPlanPtr plan = nullptr;
  int in_use = 0;  // SQL that it runs, or a parameter's toString(), may call free()
  ParameterTypes types{nullptr, 0};  // the plan refers to it whenever it is made anew
  v8::Global<v8::Object> handle;
};

ParamListInfo bind_values(const std::vector<v8::Local<v8::Value>> &values, const Oid *types, int count) {
  if (static_cast<int>(values.size()) != count)
    throw_js(("plan expected " + std::to_string(count) + " argument(s), given is " + std::to_string(values.size())).c_str());
  ParamListInfo params = nullptr;
  guard([&] { params = makeParamList(count); });
  for (int i = 0; i < count; i++) {
    Oid type = types[i] == InvalidOid || types[i] == UNKNOWNOID ? TEXTOID : types[i];
    bool is_null = false;
    params->params[i].value = from_js(values[i], &is_null, type_info(type));
    params->params[i].isnull = is_null;
    params->params[i].pflags = PARAM_FLAG_CONST;
    params->params[i].ptype = type;
  }
  return params;
}

v8::Local<v8::Value> rows_to_js(SPITupleTable *table, uint64 count) {
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Array> rows = v8::Array::New(isolate, static_cast<int>(count));
  int columns = table->tupdesc->natts;
  std::vector<TypeInfo *> types(columns);
  std::vector<v8::Local<v8::Name>> names(columns);
  for (int i = 0; i < columns; i++) {
    Form_pg_attribute attribute = TupleDescAttr(table->tupdesc, i);
    types[i] = type_info(attribute->atttypid);
    names[i] = js_name(NameStr(attribute->attname));
  }
  for (uint64 r = 0; r < count; r++) {
    v8::HandleScope scope(isolate);
    check_interrupts();
    if (is_exhausted()) throw_exhausted();
    v8::Local<v8::Object> row = v8::Object::New(isolate);
    for (int i = 0; i < columns; i++) {
      bool is_null = false;
      Datum value = heap_getattr(table->vals[r], i + 1, table->tupdesc, &is_null);
      if (row->CreateDataProperty(context, names[i], to_js(value, is_null, types[i])).IsNothing()) throw JsPending{};
    }
    if (rows->CreateDataProperty(context, static_cast<uint32_t>(r), row).IsNothing()) throw JsPending{};
  }
  return rows;
}

// What SPI left behind, as the value of execute().
v8::Local<v8::Value> spi_result(int code) {
  SPITupleTable *table = SPI_tuptable;
  uint64 processed = SPI_processed;
  v8::EscapableHandleScope scope(isolate);
  v8::Local<v8::Value> result;
  if (table != nullptr && code != SPI_OK_SELINTO && table->tupdesc != nullptr) {
    result = rows_to_js(table, table->numvals);
  } else {
    result = v8::Number::New(isolate, static_cast<double>(processed));
  }
  if (table != nullptr) SPI_freetuptable(table);
  return scope.Escape(result);
}

[[noreturn]] void throw_string(const char *text) {
  isolate->ThrowException(js_string(text));
  throw JsPending{};
}

// As plv8 does: a string, no Error.
void check_spi(int code) {
  if (code >= 0) return;
  if (code == SPI_ERROR_TRANSACTION) throw_string("current transaction is aborted, commands ignored until end of transaction block");
  throw_string(SPI_result_code_string(code));
}

// Anything that may run a user's code, an input function's domain check included, goes through here: only the end of a
// subtransaction puts right what an error left open.
template <typename Body>
auto in_subtransaction(Body body) {
  MemoryContext context = CurrentMemoryContext;
  ResourceOwner owner = CurrentResourceOwner;
  auto back = [&] {
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
  };
  guard([] { BeginInternalSubTransaction(NULL); });
  MemoryContextSwitchTo(context);
  try {
    auto result = body();
    guard([] { ReleaseCurrentSubTransaction(); });
    back();
    return result;
  } catch (...) {
    guard([] { RollbackAndReleaseCurrentSubTransaction(); });
    back();
    throw;
  }
}

template <typename Run>
v8::Local<v8::Value> run_sql(Run run) {
  int code = 0;
  guard([&] { code = run(); });
  check_spi(code);
  return spi_result(code);
}

// Memory of one execute() goes when it ends, not when the function does.
struct Scratch {
  MemoryContext context = nullptr;
  MemoryContext before = nullptr;
  Scratch() {
    guard([&] { context = AllocSetContextCreate(CurrentMemoryContext, "plv8 execute", ALLOCSET_SMALL_SIZES); });
    before = MemoryContextSwitchTo(context);
  }
  ~Scratch() {
    MemoryContextSwitchTo(before);
    MemoryContextDelete(context);
  }
};

void execute(const Info &info) {
  callback(info, [&] {
    v8::HandleScope handles(isolate);
    if (info.Length() < 1) throw_js("execute() needs an SQL string");
    Scratch scratch;
    try {
      char *sql = c_string(info[0]);
      std::vector<v8::Local<v8::Value>> values = parameters(info, 1);
      if (values.empty()) {
        info.GetReturnValue().Set(in_subtransaction([&] { return run_sql([&] { return SPI_execute(sql, false, 0); }); }));
        return;
      }
      info.GetReturnValue().Set(in_subtransaction([&] {
        ParameterTypes types{nullptr, 0};
        SPIPlanPtr plan = nullptr;
        guard([&] {
          plan = SPI_prepare_params(sql, parser_setup, &types, 0);
        });
        if (plan == nullptr) check_spi(SPI_result);
        if (types.count != static_cast<int>(values.size()))
          throw_pg(ERRCODE_INTERNAL_ERROR, ("parameter numbers mismatch: " + std::to_string(types.count) + " != " +
                                            std::to_string(values.size())).c_str());
        ParamListInfo params = bind_values(values, types.types, types.count);
        v8::Local<v8::Value> result = run_sql([&] { return SPI_execute_plan_with_paramlist(plan, params, false, 0); });
        guard([&] { SPI_freeplan(plan); });
        return result;
      }));
      return;
    } catch (const PgFailure &failure) {
      // The error lies in the scratch context, so it becomes a JavaScript one before that goes.
      hand_over(failure);
      throw JsPending{};
    }
  });
}

Prepared *prepared_of(const Info &info) {
  v8::Local<v8::Object> self = info.This();
  if (self->InternalFieldCount() < 1) throw_js("not a prepared plan");
  Prepared *p = static_cast<Prepared *>(self->GetAlignedPointerFromInternalField(0));
  if (p == nullptr || p->plan == nullptr) throw_js("the plan was freed");
  return p;
}

void free_prepared(Prepared *p) {
  if (p->plan != nullptr) SPI_freeplan(p->plan);
  p->plan = nullptr;
  if (p->types.types != nullptr) pfree(p->types.types);
  p->types.types = nullptr;
}

struct InUse {
  Prepared *plan;
  explicit InUse(Prepared *p) : plan(p) { plan->in_use++; }
  ~InUse() { plan->in_use--; }
};

void plan_execute(const Info &info) {
  callback(info, [&] {
    v8::HandleScope handles(isolate);
    Prepared *p = prepared_of(info);
    InUse in_use(p);
    std::vector<v8::Local<v8::Value>> values = parameters(info, 0);
    info.GetReturnValue().Set(in_subtransaction([&] {
      ParamListInfo params = bind_values(values, p->types.types, p->types.count);
      v8::Local<v8::Value> result = run_sql([&] { return SPI_execute_plan_with_paramlist(p->plan, params, false, 0); });
      pfree(params);
      return result;
    }));
  });
}

void plan_free(const Info &info) {
  callback(info, [&] {
    if (info.This()->InternalFieldCount() < 1) throw_js("not a prepared plan");
    Prepared *p = static_cast<Prepared *>(info.This()->GetAlignedPointerFromInternalField(0));
    if (p != nullptr && p->in_use > 0) throw_pg(ERRCODE_OBJECT_IN_USE, "the plan is running");
    if (p != nullptr) guard([&] { free_prepared(p); });
    info.GetReturnValue().Set(0);
  });
}

Portal portal_of(const Info &info) {
  char *text = c_string(must(info.This()->Get(isolate->GetCurrentContext(), js_string("name"))));
  Portal portal = nullptr;
  guard([&] { portal = SPI_cursor_find(text); });
  if (portal == nullptr) throw_js("cannot find cursor");
  return portal;
}

long row_count(const Info &info) { return info[0]->IsNumber() ? info[0].As<v8::Number>()->Int32Value(isolate->GetCurrentContext()).FromMaybe(1) : 1; }

void cursor_fetch(const Info &info) {
  callback(info, [&] {
    v8::HandleScope handles(isolate);
    Portal portal = portal_of(info);
    bool many = info[0]->IsNumber();
    long count = row_count(info);
    v8::Local<v8::Value> rows = in_subtransaction([&] {
      guard([&] { SPI_cursor_fetch(portal, count >= 0, count >= 0 ? count : -count); });
      return spi_result(SPI_OK_FETCH);
    });
    // Without a number: one row. At the end: undefined.
    v8::Local<v8::Value> first = must(rows.As<v8::Array>()->Get(isolate->GetCurrentContext(), 0));
    info.GetReturnValue().Set(many && !first->IsUndefined() ? rows : first);
  });
}

void cursor_move(const Info &info) {
  callback(info, [&] {
    Portal portal = portal_of(info);
    long count = row_count(info);
    in_subtransaction([&] {
      guard([&] { SPI_cursor_move(portal, count >= 0, count >= 0 ? count : -count); });
      return true;
    });
  });
}

void cursor_close(const Info &info) {
  callback(info, [&] {
    Portal portal = portal_of(info);
    guard([&] { SPI_cursor_close(portal); });
    info.GetReturnValue().Set(1);
  });
}

void add_method(v8::Local<v8::ObjectTemplate> target, const char *name, v8::FunctionCallback function) {
  target->Set(isolate, name, v8::FunctionTemplate::New(isolate, function));
}

// Shapes of plans and cursors, made once: V8 keeps every template for the life of its context.
v8::Global<v8::ObjectTemplate> plan_shape;
v8::Global<v8::ObjectTemplate> cursor_shape;

v8::Local<v8::ObjectTemplate> cursor_template() {
  if (cursor_shape.IsEmpty()) {
    v8::Local<v8::ObjectTemplate> shape = v8::ObjectTemplate::New(isolate);
    add_method(shape, "fetch", cursor_fetch);
    add_method(shape, "move", cursor_move);
    add_method(shape, "close", cursor_close);
    cursor_shape.Reset(isolate, shape);
  }
  return cursor_shape.Get(isolate);
}

void plan_cursor(const Info &info) {
  callback(info, [&] {
    Prepared *p = prepared_of(info);
    InUse in_use(p);
    std::vector<v8::Local<v8::Value>> values = parameters(info, 0);
    Portal portal = in_subtransaction([&] {
      ParamListInfo params = bind_values(values, p->types.types, p->types.count);
      Portal opened = nullptr;
      guard([&] { opened = SPI_cursor_open_with_paramlist(NULL, p->plan, params, false); });
      return opened;
    });
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::Local<v8::Object> cursor = must(cursor_template()->NewInstance(context));
    if (cursor->CreateDataProperty(context, js_string("name"), js_string(portal->name)).IsNothing()) throw JsPending{};
    info.GetReturnValue().Set(cursor);
  });
}

// A plan that JavaScript lost is freed after the collection, never inside it: freeing runs PostgreSQL code.
void plan_lost(const v8::WeakCallbackInfo<Prepared> &data) {
  data.GetParameter()->handle.Reset();
  data.SetSecondPassCallback([](const v8::WeakCallbackInfo<Prepared> &second) {
    Prepared *p = second.GetParameter();
    try {
      guard([&] { free_prepared(p); });
    } catch (const PgFailure &) {
    }
    delete p;
  });
}

v8::Local<v8::ObjectTemplate> plan_template() {
  if (plan_shape.IsEmpty()) {
    v8::Local<v8::ObjectTemplate> shape = v8::ObjectTemplate::New(isolate);
    shape->SetInternalFieldCount(1);
    add_method(shape, "execute", plan_execute);
    add_method(shape, "cursor", plan_cursor);
    add_method(shape, "free", plan_free);
    plan_shape.Reset(isolate, shape);
  }
  return plan_shape.Get(isolate);
}

void prepare(const Info &info) {
  callback(info, [&] {
    if (info.Length() < 1) throw_js("prepare() needs an SQL string");
    char *sql = c_string(info[0]);
    std::unique_ptr<Prepared> owner = std::make_unique<Prepared>();
    Prepared *p = owner.get();
    ParameterTypes &types = p->types;
    if (info.Length() > 1 && info[1]->IsArray()) {
      v8::Local<v8::Array> names = info[1].As<v8::Array>();
      if (names->Length() > MAX_PARAMETERS) throw_pg(ERRCODE_TOO_MANY_ARGUMENTS, "too many parameters");
      types.count = static_cast<int>(names->Length());
      types.types = static_cast<Oid *>(palloc0(sizeof(Oid) * (types.count + 1)));
      for (int i = 0; i < types.count; i++) {
        char *name = c_string(must(names->Get(isolate->GetCurrentContext(), i)));
        int32 typmod;
        try {
          guard([&] { parseTypeString(name, &types.types[i], &typmod, NULL); });
        } catch (const PgFailure &failure) {
          terminate_for(failure.error);  // JavaScript cannot catch it with plv8
          throw;
        }
      }
    }
    in_subtransaction([&] {
      guard([&] {
        SPIPlanPtr plan = SPI_prepare_params(sql, parser_setup, &types, 0);
        if (plan == nullptr) elog(ERROR, "%s", SPI_result_code_string(SPI_result));
        Oid *kept = nullptr;
        if (types.count > 0) {
          kept = static_cast<Oid *>(MemoryContextAlloc(TopMemoryContext, sizeof(Oid) * types.count));
          memcpy(kept, types.types, sizeof(Oid) * types.count);
        }
        types.types = kept;
        SPI_keepplan(plan);
        p->plan = plan;
      });
      return true;
    });
    v8::Local<v8::Object> object = must(plan_template()->NewInstance(isolate->GetCurrentContext()));
    object->SetAlignedPointerInInternalField(0, p);
    owner.release();
    p->handle.Reset(isolate, object);
    p->handle.SetWeak(p, plan_lost, v8::WeakCallbackType::kParameter);
    info.GetReturnValue().Set(object);
  });
}

// What comes out is an Error of its own, with the text that PostgreSQL would show and nothing else.
void subtransaction(const Info &info) {
  callback(info, [&] {
    if (info.Length() < 1 || !info[0]->IsFunction()) throw_js("subtransaction() needs a function");
    v8::Local<v8::Context> context = isolate->GetCurrentContext();
    v8::TryCatch try_catch(isolate);
    try {
      info.GetReturnValue().Set(in_subtransaction(
          [&] { return must(info[0].As<v8::Function>()->Call(context, v8::Undefined(isolate), 0, nullptr)); }));
    } catch (const JsPending &) {
      if (try_catch.HasTerminated() || !try_catch.HasCaught()) {
        try_catch.ReThrow();
        throw;
      }
      char *text = exception_text(try_catch.Exception());
      v8::Local<v8::Value> plain = v8::Exception::Error(js_string(text));
      try_catch.Reset();
      isolate->ThrowException(plain);
      try_catch.ReThrow();
      throw;
    }
  });
}

void elog_message(const Info &info) {
  callback(info, [&] {
    if (info.Length() < 2) throw_string("usage: plv8.elog(elevel, ...)");
    int level = info[0]->Int32Value(isolate->GetCurrentContext()).FromMaybe(0);
    std::string text;
    for (int i = 1; i < info.Length(); i++) {
      if (i > 1) text += ' ';
      text += c_string(info[i]);
    }
    if (level == ERROR) throw_js(text.c_str());
    if (level > ERROR || level < DEBUG5) throw_string("invalid error level");
    const char *message = text.c_str();
    guard([&] { ereport(level, (errmsg_internal("%s", message))); });
  });
}

template <typename Quote>
void quote(const Info &info, Quote quoting) {
  callback(info, [&] {
    char *text = c_string(info[0]);
    const char *quoted = nullptr;
    guard([&] { quoted = quoting(text); });
    info.GetReturnValue().Set(js_string(quoted));
  });
}

void quote_literal_js(const Info &info) { quote(info, quote_literal_cstr); }
void quote_ident_js(const Info &info) { quote(info, quote_identifier); }

void quote_nullable_js(const Info &info) {
  quote(info, [&](char *text) { return info[0]->IsNullOrUndefined() ? pstrdup("NULL") : quote_literal_cstr(text); });
}

// Input functions of PostgreSQL's own types run nobody's code; a domain's does.
bool runs_user_code(TupleDesc desc) {
  for (int i = 0; i < desc->natts; i++)
    if (TupleDescAttr(desc, i)->atttypid >= FirstNormalObjectId) return true;
  return false;
}

void return_next(const Info &info) {
  callback(info, [&] {
    if (current_call == nullptr || current_call->store == nullptr)
      throw_js("return_next called in context that cannot accept a set");
    v8::HandleScope handles(isolate);
    v8::Local<v8::Value> row = info.Length() > 0 ? info[0] : v8::Undefined(isolate).As<v8::Value>();
    Scratch scratch;
    try {
      if (!runs_user_code(current_call->desc)) {
        append_row(current_call, row);
        return;
      }
      in_subtransaction([&] {
        append_row(current_call, row);
        return true;
      });
    } catch (const PgFailure &failure) {
      hand_over(failure);  // before the scratch context goes, as in execute()
      throw JsPending{};
    }
  });
}

void end_transaction(const Info &info, bool commit) {
  callback(info, [&] {
    if (current_call == nullptr || !current_call->nonatomic)
      throw_pg(ERRCODE_INVALID_TRANSACTION_TERMINATION, "invalid transaction termination");
    guard([&] {
      if (commit)
        SPI_commit();
      else
        SPI_rollback();
    });
  });
}

void commit(const Info &info) { end_transaction(info, true); }
void rollback(const Info &info) { end_transaction(info, false); }

void find_function_js(const Info &info) {
  callback(info, [&] {
    char *signature = c_string(info[0]);
    info.GetReturnValue().Set(find_function(signature));
  });
}

}  // namespace

void forget_templates() {
  plan_shape.Reset();
  cursor_shape.Reset();
}

void append_row(Call *call, v8::Local<v8::Value> value) {
  if (call->scalar != nullptr) {
    bool is_null = false;
    Datum datum = from_js(value, &is_null, call->scalar);
    guard([&] { tuplestore_putvalues(call->store, call->desc, &datum, &is_null); });
    return;
  }
  HeapTuple tuple = js_to_tuple(value, call->desc);
  guard([&] {
    tuplestore_puttuple(call->store, tuple);
    heap_freetuple(tuple);
  });
}

void install_api(v8::Local<v8::Context> context) {
  v8::Local<v8::ObjectTemplate> shape = v8::ObjectTemplate::New(isolate);
  add_method(shape, "execute", execute);
  add_method(shape, "prepare", prepare);
  add_method(shape, "subtransaction", subtransaction);
  add_method(shape, "elog", elog_message);
  add_method(shape, "return_next", return_next);
  add_method(shape, "find_function", find_function_js);
  add_method(shape, "quote_literal", quote_literal_js);
  add_method(shape, "quote_nullable", quote_nullable_js);
  add_method(shape, "quote_ident", quote_ident_js);
  add_method(shape, "commit", commit);
  add_method(shape, "rollback", rollback);
  v8::Local<v8::Object> object = shape->NewInstance(context).ToLocalChecked();
  object->Set(context, js_string("version"), js_string(PLV8_VERSION)).Check();
  object->Set(context, js_string("v8_version"), js_string(v8::V8::GetVersion())).Check();
  v8::Local<v8::Object> global = context->Global();
  global->Set(context, js_string("plv8"), object).Check();
  const struct {
    const char *name;
    int level;
  } levels[] = {{"DEBUG5", DEBUG5}, {"DEBUG4", DEBUG4}, {"DEBUG3", DEBUG3}, {"DEBUG2", DEBUG2}, {"DEBUG1", DEBUG1}, {"LOG", LOG},
                {"INFO", INFO},     {"NOTICE", NOTICE}, {"WARNING", WARNING}, {"ERROR", ERROR}};
  for (const auto &l : levels) global->Set(context, js_string(l.name), v8::Integer::New(isolate, l.level)).Check();
}

}  // namespace plv8
