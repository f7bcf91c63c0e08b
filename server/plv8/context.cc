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

struct sigaction previous_int;
struct sigaction previous_term;

// PostgreSQL's own handler first; it sets InterruptPending. TerminateExecution only sets a flag that running
// JavaScript looks at, and may be called from any thread or signal handler.
void chain(const struct sigaction &previous, int signal) {
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) previous.sa_handler(signal);
  if (running && isolate != nullptr && InterruptPending) isolate->TerminateExecution();
}
void on_int(int signal) { chain(previous_int, signal); }
void on_term(int signal) { chain(previous_term, signal); }

void install(int signal, void (*handler)(int), struct sigaction *previous) {
  struct sigaction action;
  sigaction(signal, nullptr, previous);
  action = *previous;
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

size_t near_limit(void *, size_t current, size_t) {
  exhausted = 1;
  isolate->TerminateExecution();
  return current + 64 * 1024 * 1024;  // room to unwind
}

void create_isolate() {
  v8::Isolate::CreateParams params;
  if (!allocator) allocator = std::make_unique<Allocator>();
  params.array_buffer_allocator = allocator.get();
  params.constraints.ConfigureDefaultsFromHeapSize(0, static_cast<size_t>(memory_limit) * 1024 * 1024);
  isolate = v8::Isolate::New(params);
  isolate->AddNearHeapLimitCallback(near_limit, nullptr);
  isolate->SetCaptureStackTraceForUncaughtExceptions(true, 20);
}

}  // namespace

void ensure_isolate() {
  if (isolate != nullptr) return;
  if (!platform) {
    // One thread: a backend must not have others, and fork-safety and signals depend on it.
    v8::V8::SetFlagsFromString("--single-threaded");
    const char *flags = GetConfigOption("plv8.v8_flags", true, false);
    if (flags != nullptr && flags[0] != '\0') v8::V8::SetFlagsFromString(flags);
    platform = v8::platform::NewSingleThreadedDefaultPlatform();
    v8::V8::InitializePlatform(platform.get());
    v8::V8::Initialize();
    install(SIGINT, on_int, &previous_int);
    install(SIGTERM, on_term, &previous_term);
  }
  create_isolate();
}

v8::Local<v8::Context> current_context() {
  auto found = contexts.find(GetUserId());
  if (found != contexts.end()) return found->second.Get(isolate);
  v8::Local<v8::Context> context = v8::Context::New(isolate);
  v8::Context::Scope scope(context);
  install_api(context);
  contexts.emplace(GetUserId(), v8::Global<v8::Context>(isolate, context));
  return context;
}

bool is_exhausted() { return exhausted != 0; }

void forget_functions();  // handler.cc
void forget_templates();  // spi.cc

void dispose_if_exhausted() {
  if (!exhausted || depth > 0 || isolate == nullptr) return;
  forget_functions();
  forget_templates();
  contexts.clear();
  isolate->Dispose();
  isolate = nullptr;
  exhausted = 0;
}

void pump_tasks() {
  while (v8::platform::PumpMessageLoop(platform.get(), isolate)) {
  }
}

}  // namespace plv8
