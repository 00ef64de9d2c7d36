// The reference: spdlog's asynchronous logger with the same work as Sources/BenchLog.
#include "Sources/CAllocationCount/include/allocation_count.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <spdlog/async.h>
#include <spdlog/spdlog.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <string>
#include <thread>
#include <vector>

static std::string folder = ".";

static uint64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

static void report(const char *name, uint64_t value) {
    printf("%s %llu\n", name, (unsigned long long)value);
}

static void spin(uint64_t nanoseconds) {
    for (uint64_t end = now() + nanoseconds; now() < end;) {}
}

struct System {
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::async_logger> logger;
};

static System make(const std::string &name) {
    System system;
    system.pool = std::make_shared<spdlog::details::thread_pool>(32768, 1);
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
        folder + "/spdlog_" + name + ".log", 1000000000, 10);
    system.logger = std::make_shared<spdlog::async_logger>(
        name, sink, system.pool, spdlog::async_overflow_policy::block);
    system.logger->set_pattern("[%l]\t[%y-%m-%d %H:%M:%S.%e]\t[%P:%t]\t[]\t[]\t[%s:%#]\t%v");
    return system;
}

__attribute__((noinline)) static void line(spdlog::logger *logger, int number) {
    SPDLOG_LOGGER_INFO(logger, "request handled connection={} bytes={} elapsed_us={}",
                       number & 1023, 58, number);
}

__attribute__((noinline)) static void line_that_is_off(spdlog::logger *logger, int number) {
    logger->debug("request handled connection={}", number);
}

static void caller_cost() {
    System system = make("caller");
    spdlog::logger *logger = system.logger.get();
    for (int i = 0; i < 100000; i++) line(logger, i);
    logger->flush();
    spin(300000000);
    std::vector<uint64_t> costs;
    costs.reserve(200000);
    uint64_t allocations = allocation_count();
    for (int burst = 0; burst < 4000; burst++) {
        for (int i = 0; i < 50; i++) {
            uint64_t start = now();
            line(logger, burst * 50 + i);
            costs.push_back(now() - start);
        }
        spin(50000);
    }
    report("allocations_in_200000_lines", allocation_count() - allocations);
    std::sort(costs.begin(), costs.end());
    report("caller_p50_ns", costs[100000]);
    report("caller_p99_ns", costs[198000]);
    report("caller_p99.9_ns", costs[199800]);
    uint64_t total = 0;
    for (int burst = 0; burst < 2000; burst++) {
        uint64_t start = now();
        for (int i = 0; i < 100; i++) line(logger, burst * 100 + i);
        total += now() - start;
        spin(50000);
    }
    report("caller_mean_ns", total / 200000);
    report("caller_dropped", 0);
}

static void timer_cost() {
    uint64_t start = now();
    for (int i = 0; i < 1000000; i++) (void)now();
    report("timer_ns", (now() - start) / 1000000);
}

static void sustained(int threads) {
    uint64_t start = now();
    int lines = 1000000 / threads;
    {
        System system = make("sustained" + std::to_string(threads));
        std::vector<std::thread> workers;
        for (int t = 0; t < threads; t++)
            workers.emplace_back([&] {
                for (int i = 0; i < lines; i++) line(system.logger.get(), i);
            });
        for (auto &worker : workers) worker.join();
        system.logger->flush();
        system.logger.reset();
        system.pool.reset(); // joins the writer
    }
    uint64_t elapsed = now() - start;
    std::string name = "lines_per_s_" + std::to_string(threads) + "_threads";
    report(name.c_str(), (uint64_t)lines * threads * 1000000000ull / elapsed);
    name = "dropped_" + std::to_string(threads) + "_threads";
    report(name.c_str(), 0);
}

static void off_cost() {
    System system = make("off");
    uint64_t start = now();
    for (int i = 0; i < 50000000; i++) line_that_is_off(system.logger.get(), i);
    report("off_picoseconds", (now() - start) / 50000);
    report("disabled_picoseconds", 0);
}

int main(int count, char **arguments) {
    if (count > 1) folder = arguments[1];
    timer_cost();
    caller_cost();
    for (int threads : {1, 2, 4}) sustained(threads);
    off_cost();
}
