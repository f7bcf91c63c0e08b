// The isolate of this backend, one context per role, and what interrupts JavaScript.
#include "plv8.h"

#include <csignal>
#include <map>
#include <memory>

extern "C" {
#include "storage/ipc.h"
}

namespace plv8 {

v8::Isolate *isolate = nullptr;
volatile sig_atomic_t depth = 0;
volatile sig_atomic_t running = 0;
int memory_limit = 256;

namespace {

std::unique_ptr<v8::Platform> platform;
std::map<Oid, v8::Global<v8::Context>> contexts;
volatile sig_atomic_t exhausted = 0;

// ArrayBuffers live outside the heap that V8 limits.
class Allocator : public v8::ArrayBuffer::Allocator {
 public:
  void *Allocate(size_t size) override { return take(size) ? counted(calloc(size, 1), size) : nullptr; }
  void *AllocateUninitialized(size_t size) override { return take(size) ? counted(malloc(size), size) : nullptr; }
  size_t used() const { return used_; }
  void Free(void *data, size_t size) override {
    used_ -= size;
    free(data);
  }

 private:
  bool take(size_t size) const { return used_ + size <= static_cast<size_t>(memory_limit) * 1024 * 1024; }
  void *counted(void *data, size_t size) {
    if (data != nullptr) used_ += size;
    return data;
  }
  size_t used_ = 0;
};
std::unique_ptr<Allocator> allocator;

bool must_end() {
#if PG_VERSION_NUM >= 170000
  if (TransactionTimeoutPending) return true;
#endif
  return QueryCancelPending || ProcDiePending;
}

// What else is pending may end the statement (a conflict with recovery, a client that went away) or not (a barrier that
// DROP DATABASE waits for): PostgreSQL is asked where V8 looks for interrupts, and JavaScript goes on if it may.
volatile sig_atomic_t asked = 0;
volatile sig_atomic_t entries = 0;

void ask(v8::InterruptCallback callback) {
  entries = entries + 1;
  isolate->RequestInterrupt(callback, nullptr);
}

void look(v8::Isolate *, void *) {
  // V8 keeps the requests in a std::deque, which allocates with every 32nd: never in a signal handler.
  if (entries % 32 == 31) ask([](v8::Isolate *, void *) {});
  asked = 0;
  try {
    check_interrupts();
  } catch (const PgFailure &failure) {
    terminate_for(failure.error);
    FreeErrorData(failure.error);
  }
}

// TerminateExecution only sets a flag that running JavaScript looks at; it may be called in a signal handler.
void interrupt() {
  if (!InterruptPending || isolate == nullptr) return;
  if (must_end()) {
    isolate->TerminateExecution();
  } else if (!asked) {
    asked = 1;
    ask(look);
  }
}

// PostgreSQL's own handler first; it sets InterruptPending. A conflict with recovery is SIGUSR1, transaction_timeout only
// SIGALRM.
const int SIGNALS[] = {SIGINT, SIGTERM, SIGALRM, SIGUSR1};
struct sigaction previous[NSIG];

void on_signal(int signal) {
  int saved_errno = errno;
  if (previous[signal].sa_handler != SIG_DFL && previous[signal].sa_handler != SIG_IGN) previous[signal].sa_handler(signal);
  if (running) interrupt();
  errno = saved_errno;
}

void install(int signal, void (*handler)(int)) {
  sigaction(signal, nullptr, &previous[signal]);
  struct sigaction action = previous[signal];
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

// Room to end what is going on: a table that doubles needs as much again. Built-ins that do not look at the termination
// may use that up; then V8 gives up and on_out_of_memory ends the session.
size_t near_limit(void *, size_t current, size_t initial) {
  exhausted = 1;
  isolate->TerminateExecution();
  return current > initial ? current : 2 * initial + 64 * 1024 * 1024;
}

// V8 cannot go on after these, and its own answer is a trap that would restart all sessions of the server.
void end_session(const char *what) {
  ereport(FATAL, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("JavaScript ran out of memory"), errdetail_internal("%s", what),
                  errhint("Raise plv8.memory_limit, or work on less at a time.")));
}
#if V8_MAJOR_VERSION >= 11
void on_out_of_memory(const char *location, const v8::OOMDetails &) { end_session(location); }
#else
void on_out_of_memory(const char *location, bool) { end_session(location); }
#endif
void on_fatal_error(const char *location, const char *message) {
  ereport(FATAL, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("JavaScript engine failed: %s", message),
                  errdetail_internal("%s", location != nullptr ? location : "")));
}

// Some limits of V8 (an array of 2^27 elements made from a string) have no callback: it traps at that place, synchronously,
// so this is no worse a place to end the session than on_out_of_memory.
void on_trap(int) {
  if (depth > 0) end_session("V8 stopped itself; the server's log has its words.");
  signal(SIGTRAP, SIG_DFL);
  ::raise(SIGTRAP);
}

void create_isolate() {
  v8::Isolate::CreateParams params;
  if (!allocator) allocator = std::make_unique<Allocator>();
  params.array_buffer_allocator = allocator.get();
  params.constraints.ConfigureDefaultsFromHeapSize(0, static_cast<size_t>(memory_limit) * 1024 * 1024);
  isolate = v8::Isolate::New(params);
  isolate->AddNearHeapLimitCallback(near_limit, nullptr);
  isolate->SetOOMErrorHandler(on_out_of_memory);
  isolate->SetFatalErrorHandler(on_fatal_error);
  isolate->SetCaptureStackTraceForUncaughtExceptions(true, 20);
}

// plv8 is in use with V8 10.2: what younger ones know beyond it goes, so that nobody comes to rely on it.
const char LIBRARY[] = R"js((() => {
  const drop = (from, names) => from && names.split(' ').forEach((name) => delete from[name]);
  const typed = Object.getPrototypeOf(Int8Array);
  drop(Array, 'fromAsync');
  drop(Array.prototype, 'toReversed toSorted toSpliced with');
  drop(typed.prototype, 'toReversed toSorted with');
  drop(Uint8Array, 'fromBase64 fromHex');
  drop(Uint8Array.prototype, 'toBase64 toHex setFromBase64 setFromHex');
  drop(Object, 'groupBy');
  drop(Map, 'groupBy');
  drop(Map.prototype, 'getOrInsert getOrInsertComputed');
  drop(WeakMap.prototype, 'getOrInsert getOrInsertComputed');
  drop(Set.prototype, 'union intersection difference symmetricDifference isSubsetOf isSupersetOf isDisjointFrom');
  drop(Promise, 'withResolvers try');
  drop(String.prototype, 'isWellFormed toWellFormed');
  drop(RegExp, 'escape');
  drop(RegExp.prototype, 'unicodeSets');
  drop(Error, 'isError');
  drop(Math, 'f16round sumPrecise');
  drop(JSON, 'rawJSON isRawJSON');
  drop(Atomics, 'pause');
  drop(DataView.prototype, 'getFloat16 setFloat16');
  drop(ArrayBuffer.prototype, 'resize resizable maxByteLength transfer transferToFixedLength detached');
  drop(SharedArrayBuffer.prototype, 'grow growable maxByteLength');
  drop(Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())),
    'constructor map filter take drop flatMap reduce toArray forEach some every find');
  drop(Symbol, 'dispose asyncDispose');
  drop(globalThis.Intl, 'DurationFormat');
  drop(globalThis, 'Iterator Float16Array SuppressedError DisposableStack AsyncDisposableStack Temporal');
})())js";

}  // namespace

void ensure_isolate() {
  if (isolate != nullptr) return;
  if (!platform) {
    // One thread: a backend must not have others, and fork-safety and signals depend on it.
    // No memory that neither the heap's limit nor the allocator counts: WebAssembly (asm.js uses it, too), buffers that grow.
    v8::V8::SetFlagsFromString("--single-threaded --no-validate-asm");
#if V8_MAJOR_VERSION < 13
    v8::V8::SetFlagsFromString("--no-expose-wasm --no-harmony-rab-gsab");
#endif
    const char *flags = GetConfigOption("plv8.v8_flags", true, false);
    if (flags != nullptr && flags[0] != '\0') v8::V8::SetFlagsFromString(flags);
    platform = v8::platform::NewSingleThreadedDefaultPlatform();
    v8::V8::InitializePlatform(platform.get());
    v8::V8::Initialize();
    for (int signal : SIGNALS) install(signal, on_signal);
    install(SIGTRAP, on_trap);
  }
  create_isolate();
}

// The trap of the constructors below: without the second argument. A frame of JavaScript would stand in the CONTEXT of errors.
void construct_fixed(const v8::FunctionCallbackInfo<v8::Value> &info) {
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Array> given = info[1].As<v8::Array>();
  v8::Local<v8::Value> size = v8::Undefined(isolate);
  if (given->Length() > 0 && !given->Get(context, 0).ToLocal(&size)) return;
  v8::Local<v8::Value> words[] = {info[0], v8::Array::New(isolate, &size, 1), info[2]};
  v8::Local<v8::Value> made;
  if (info.Data().As<v8::Function>()->Call(context, v8::Undefined(isolate), 3, words).ToLocal(&made))
    info.GetReturnValue().Set(made);
}

// Where V8 has no flags for them any more. The constructors ignore the size a buffer may grow to: they would take that
// memory from elsewhere. A handler without a prototype, as a trap put on Object.prototype would be given the constructor.
void remove_uncounted(v8::Local<v8::Context> context) {
  static const char *const CODE = R"js(((construct) => { 'use strict';
    delete globalThis.WebAssembly;
    for (const name of ['ArrayBuffer', 'SharedArrayBuffer']) {
      const prototype = globalThis[name].prototype;
      if (!('maxByteLength' in prototype)) continue;
      for (const key of ['resize', 'grow', 'resizable', 'growable', 'maxByteLength']) delete prototype[key];
      const value = new Proxy(globalThis[name], { __proto__: null, construct });
      Object.defineProperty(prototype, 'constructor', { value });
      Object.defineProperty(globalThis, name, { value });
    }
  }))js";
  v8::Local<v8::Object> reflect = must(context->Global()->Get(context, js_string("Reflect"))).As<v8::Object>();
  v8::Local<v8::Value> make = must(reflect->Get(context, js_string("construct")));
  v8::Local<v8::Value> trap = must(v8::Function::New(context, construct_fixed, make, 3, v8::ConstructorBehavior::kThrow));
  v8::Local<v8::Value> remove = must(must(v8::Script::Compile(context, js_string(CODE)))->Run(context));
  must(remove.As<v8::Function>()->Call(context, v8::Undefined(isolate), 1, &trap));
}

v8::Local<v8::Context> current_context() {
  auto found = contexts.find(GetUserId());
  if (found != contexts.end()) return found->second.Get(isolate);
  v8::Local<v8::Context> context = v8::Context::New(isolate);
  v8::Context::Scope scope(context);
  remove_uncounted(context);  // first: it asks for what the next one takes away
  must(must(v8::Script::Compile(context, js_string(LIBRARY)))->Run(context));
  install_api(context);
  contexts.emplace(GetUserId(), v8::Global<v8::Context>(isolate, context));
  return context;
}

// As ArrayBuffer::New, but a failure is an exception and not the end of the process.
v8::Local<v8::ArrayBuffer> new_buffer(size_t size) {
  if (size == 0) return v8::ArrayBuffer::New(isolate, 0);
  void *data = allocator->AllocateUninitialized(size);
  if (data == nullptr) {
    isolate->LowMemoryNotification();
    data = allocator->AllocateUninitialized(size);
  }
  if (data == nullptr) throw_range_error("Array buffer allocation failed");
  auto release = [](void *memory, size_t length, void *) { allocator->Free(memory, length); };
  return v8::ArrayBuffer::New(isolate, v8::ArrayBuffer::NewBackingStore(data, size, release, nullptr));
}

bool is_exhausted() { return exhausted != 0; }

void throw_exhausted() { throw PgFailure{exhausted_error()}; }

void check_interrupts() {
  if (InterruptPending) guard([] { CHECK_FOR_INTERRUPTS(); });
}

void Running::set(sig_atomic_t on) {
  running = on;
  if (on) interrupt();
}

void forget_functions();  // handler.cc
void forget_templates();  // spi.cc
void forget_started();    // handler.cc

void dispose_if_exhausted() {
  if (!exhausted || depth > 0 || isolate == nullptr) return;
  forget_functions();
  forget_templates();
  forget_started();
  contexts.clear();
  isolate->Dispose();
  isolate = nullptr;
  exhausted = 0;
  asked = 0;
  entries = 0;
}

void forget_functions_of(Oid role);  // handler.cc

void forget_role(Oid role) {
  if (isolate == nullptr || contexts.count(role) == 0) return;
  forget_functions_of(role);
  contexts.erase(role);
}

// The roles whose JavaScript this session keeps; they share one heap.
void describe_memory(StringInfo text) {
  v8::HeapStatistics heap;
  if (isolate != nullptr) isolate->GetHeapStatistics(&heap);
  appendStringInfoChar(text, '[');
  for (const auto &context : contexts) {
    char *name = GetUserNameFromId(context.first, true);
    if (text->len > 1) appendStringInfoChar(text, ',');
    appendStringInfoString(text, "{\"user\":");
    escape_json(text, name != nullptr ? name : "");
    appendStringInfo(text, ",\"total_heap_size\":%zu,\"used_heap_size\":%zu,\"external_memory\":%zu}", heap.total_heap_size(),
                     heap.used_heap_size(), allocator ? allocator->used() : 0);
  }
  appendStringInfoChar(text, ']');
}

void pump_tasks() {
  while (v8::platform::PumpMessageLoop(platform.get(), isolate)) {
  }
}

}  // namespace plv8
