// Shared by all load clients of the benchmarks: options, clock, latency histogram, processor time
// of the server, and the line of JSON printed at the end. C, usable from C++.
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { STEPS = 128, POWERS = 40 }; // a resolution of 1/128: 0.8 %

struct load_options {
    int port, connections, in_flight, payload, server_pid;
    int refusals; // of tinypb_load, http2_load: whether error replies are counted, and not a failure
    long calls; // the number in all, without a warm-up, instead of `seconds`
    double seconds, rate, slow_percent;
    const char *tls_ca, *tls_name, *tls_certificate, *tls_key, *tls_version; // tls_ca NULL: plain
    int senders_port; // of chat_load: of the server of the clients that send, if it is another one
    const char *kind; // of tinypb_connects, http2_load, grpc_streams, nats_fanout
    const char *api;  // of grpc_streams
    int buffer_hint;  // of grpc_streams
};

struct load_report {
    uint64_t histogram[STEPS * POWERS]; // of all calls but the slow ones, in ns
    uint64_t calls, slow, refused, highest;
    uint64_t began, ended;
    uint64_t server_cpu, client_cpu;
};

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// With --rate: returns when call number `begun` of a run is due, whatever the state of earlier
// calls.
static inline uint64_t due_ns(const struct load_options *options, uint64_t start, uint64_t begun) {
    return start + (uint64_t)((double)begun * 1e9 / options->rate);
}

static inline int bucket_of(uint64_t ns) {
    if (ns < STEPS) return (int)ns;
    int power = 63 - __builtin_clzll(ns) - 7;
    int bucket = (power + 1) * STEPS + (int)(ns >> power) - STEPS;
    return bucket < STEPS * POWERS ? bucket : STEPS * POWERS - 1;
}

static inline uint64_t bucket_value(int bucket) {
    if (bucket < STEPS) return (uint64_t)bucket;
    int power = bucket / STEPS - 1;
    return (uint64_t)(STEPS + bucket % STEPS) << power;
}

static inline void record_latency(struct load_report *report, uint64_t ns) {
    report->histogram[bucket_of(ns)]++;
    if (ns > report->highest) report->highest = ns;
}

static inline double percentile_us(const struct load_report *report, double part) {
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < STEPS * POWERS; i++) total += report->histogram[i];
    for (int i = 0; i < STEPS * POWERS; i++) {
        seen += report->histogram[i];
        if (report->histogram[i] && (double)seen >= part * (double)total)
            return (double)bucket_value(i) / 1000;
    }
    return 0;
}

static inline uint64_t processor_time_ns(int pid) { // of all its threads except finished ones
    if (pid <= 0) return 0;
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    uint64_t sum = 0;
    struct dirent *task;
    while (tasks && (task = readdir(tasks))) {
        if (task->d_name[0] == '.') continue;
        unsigned long long ns = 0;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
        FILE *file = fopen(path, "r");
        if (file && fscanf(file, "%llu", &ns) == 1) sum += ns;
        if (file) fclose(file);
    }
    if (tasks) closedir(tasks);
    return sum;
}

static inline uint64_t own_processor_time_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void report_begin(struct load_report *report, const struct load_options *options) {
    memset(report, 0, sizeof *report);
    report->server_cpu = processor_time_ns(options->server_pid);
    report->client_cpu = own_processor_time_ns();
    report->began = now_ns();
}

static inline void report_end(struct load_report *report, const struct load_options *options) {
    report->ended = now_ns();
    report->server_cpu = processor_time_ns(options->server_pid) - report->server_cpu;
    report->client_cpu = own_processor_time_ns() - report->client_cpu;
}

static inline void report_print(const struct load_report *report) {
    double seconds = (double)(report->ended - report->began) / 1e9;
    double calls = report->calls ? (double)report->calls : 1;
    printf("{\"calls\": %llu, \"slow_calls\": %llu, \"refused_calls\": %llu, \"seconds\": %.4f, \"calls_per_second\": %.1f, "
           "\"server_cpu_us\": %.4f, \"client_cpu_us\": %.4f, \"p50_us\": %.2f, \"p99_us\": %.2f, "
           "\"p999_us\": %.2f, \"max_us\": %.2f, \"histogram_ns\": [",
           (unsigned long long)report->calls, (unsigned long long)report->slow,
           (unsigned long long)report->refused, seconds,
           (double)report->calls / seconds, (double)report->server_cpu / calls / 1000,
           (double)report->client_cpu / calls / 1000, percentile_us(report, 0.5),
           percentile_us(report, 0.99), percentile_us(report, 0.999),
           (double)report->highest / 1000);
    const char *comma = "";
    for (int i = 0; i < STEPS * POWERS; i++) {
        if (report->histogram[i] == 0) continue;
        printf("%s[%llu, %llu]", comma, (unsigned long long)bucket_value(i),
               (unsigned long long)report->histogram[i]);
        comma = ", ";
    }
    printf("]}\n");
}

static inline void options_parse(struct load_options *options, int argc, char **argv) {
    *options = (struct load_options){0};
    options->connections = options->in_flight = 1;
    options->seconds = 1;
    options->tls_name = "localhost";
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--to") == 0) {
            const char *colon = strrchr(value, ':');
            options->port = atoi(colon ? colon + 1 : value);
        } else if (strcmp(name, "--connections") == 0) options->connections = atoi(value);
        else if (strcmp(name, "--in-flight") == 0) options->in_flight = atoi(value);
        else if (strcmp(name, "--seconds") == 0) options->seconds = atof(value);
        else if (strcmp(name, "--rate") == 0) options->rate = atof(value);
        else if (strcmp(name, "--calls") == 0) options->calls = atol(value);
        else if (strcmp(name, "--payload") == 0) options->payload = atoi(value);
        else if (strcmp(name, "--slow-percent") == 0) options->slow_percent = atof(value);
        else if (strcmp(name, "--refusals") == 0) options->refusals = strcmp(value, "yes") == 0;
        else if (strcmp(name, "--server-pid") == 0) options->server_pid = atoi(value);
        else if (strcmp(name, "--tls-ca") == 0) options->tls_ca = value;
        else if (strcmp(name, "--tls-name") == 0) options->tls_name = value;
        else if (strcmp(name, "--tls-cert") == 0) options->tls_certificate = value;
        else if (strcmp(name, "--tls-key") == 0) options->tls_key = value;
        else if (strcmp(name, "--tls-version") == 0) options->tls_version = value;
        else if (strcmp(name, "--senders-to") == 0) options->senders_port = atoi(strrchr(value, ':') + 1);
        else if (strcmp(name, "--kind") == 0) options->kind = value;
        else if (strcmp(name, "--api") == 0) options->api = value;
        else if (strcmp(name, "--buffer-hint") == 0) options->buffer_hint = atoi(value);
        else options->connections = 0;
    }
    if (options->port <= 0 || options->connections < 1 || options->in_flight < 1 ||
        !options->tls_certificate != !options->tls_key || argc % 2 == 0) {
        fprintf(stderr,
                "usage: %s --to 127.0.0.1:PORT --connections N --in-flight N --seconds N\n"
                "       [--rate CALLS_PER_SECOND] [--payload BYTES] [--slow-percent N]\n"
                "       [--server-pid PID] [--calls N] [--refusals yes]\n"
                "       [--tls-ca FILE [--tls-name localhost] [--tls-version 1.2]\n"
                "        [--tls-cert FILE --tls-key FILE]]: tinypb_load, tinypb_connects, grpc_load\n",
                argv[0]);
        exit(2);
    }
}

#endif
