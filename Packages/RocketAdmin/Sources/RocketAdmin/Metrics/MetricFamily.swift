/// A metric of `/metrics`: what docs/metrics.md lists, and HELP and TYPE say. A value.
struct MetricFamily: Hashable, Sendable {
    enum Kind: String, Sendable { case counter, gauge, histogram }

    let name: String
    let kind: Kind
    /// The labels, in their order.
    let labels: [String]
    /// One sentence without its full stop, with the unit.
    let help: String

    init(_ kind: Kind, _ name: String, _ labels: [String], _ help: String) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
    }

    init(_ kind: Kind, _ name: String, _ help: String) { self.init(kind, name, [], help) }
}

extension MetricFamily {
    static let buildInfo = MetricFamily(
        .gauge, "rocket_build_info", ["program", "version"],
        "Always 1: program and version of Rocket")
    static let up = MetricFamily(
        .gauge, "rocket_server_state", ["state"],
        "1 for the phase that the server is in, 0 for others")
    static let started = MetricFamily(
        .counter, "rocket_server_started_total", ["service", "method"],
        "Calls that have arrived, refused ones included")
    static let handled = MetricFamily(
        .counter, "rocket_server_handled_total", ["service", "method", "code"],
        "Calls that have ended, by code")
    static let refused = MetricFamily(
        .counter, "rocket_server_refused_total", ["service", "method"],
        "Calls that have ended before a handler ran")
    static let handling = MetricFamily(
        .histogram, "rocket_server_handling_seconds", ["service", "method"],
        "Time of calls from their turn on until their reply was written, without queue and network")
    static let inFlight = MetricFamily(
        .gauge, "rocket_server_in_flight", ["service", "method"], "Calls whose handlers run or wait"
    )
    static let requestBytes = MetricFamily(
        .counter, "rocket_server_request_bytes_total", ["service", "method"],
        "Bytes of requests, without frames and encryption")
    static let responseBytes = MetricFamily(
        .counter, "rocket_server_response_bytes_total", ["service", "method"],
        "Bytes of responses, without frames and encryption")
    static let refusals = MetricFamily(
        .counter, "rocket_server_refusals_total", ["reason"],
        "Calls that ended before a handler ran, by reason: draining, call_limit, request_size, "
            + "metadata_size, deadline, unknown_method, permission, authentication, and under overload "
            + "queue_delay, late, adaptive_limit, rate")
    static let timedOut = MetricFamily(
        .counter, "rocket_server_timed_out_total",
        "Calls whose deadline or time limit passed while their handler ran")
    static let cancelled = MetricFamily(
        .counter, "rocket_server_cancelled_total", "Calls that their callers cancelled")
    static let brokenStreams = MetricFamily(
        .counter, "rocket_server_broken_streams_total",
        "Connections closed because of an invalid frame")
    static let connections = MetricFamily(
        .gauge, "rocket_server_connections", "Open connections")
    static let connectionsMoved = MetricFamily(
        .counter, "rocket_server_connections_moved_total",
        "Moves of connections to another event loop")
    static let unsentBytes = MetricFamily(
        .gauge, "rocket_server_unsent_bytes",
        "Bytes that wait for peers to read, of the connections in the table of connections")
    static let kernelBytes = MetricFamily(
        .gauge, "rocket_server_kernel_bytes",
        "Bytes that were sent and that peers have not acknowledged, of the connections in the table"
    )
    static let unreadPeers = MetricFamily(
        .gauge, "rocket_server_unread_peers",
        "Connections in the table whose peers have let bytes wait for 5 seconds or more")
    static let limit = MetricFamily(
        .gauge, "rocket_server_limit", ["limit"], "The limits of the server, in their own units")
    static let limitCurrent = MetricFamily(
        .gauge, "rocket_server_limit_current", ["limit"], "The value that is limited")
    static let limitHighest = MetricFamily(
        .gauge, "rocket_server_limit_highest", ["limit"], "The highest value that was seen")
    static let limitRefusals = MetricFamily(
        .counter, "rocket_server_limit_refusals_total", ["limit"],
        "How often something was refused or closed for a limit")
    static let overloadedLoops = MetricFamily(
        .gauge, "rocket_server_overloaded_loops", "Loops that refuse calls for their delay")
    static let loopBusy = MetricFamily(
        .counter, "rocket_loop_busy_seconds_total", ["loop"], "Time that a loop has worked")
    static let loopTicks = MetricFamily(
        .counter, "rocket_loop_ticks_total", ["loop"], "Rounds of a loop")
    static let loopDelay = MetricFamily(
        .gauge, "rocket_loop_delay_seconds", ["loop"],
        "How long events had waited for the last round")
    static let loopLongest = MetricFamily(
        .gauge, "rocket_loop_longest_callback_seconds", ["loop"], "The longest callback so far")
    static let loopSlow = MetricFamily(
        .counter, "rocket_loop_slow_callbacks_total", ["loop"],
        "Callbacks that took longer than server/slow_callback_ms")
    static let loopStuck = MetricFamily(
        .gauge, "rocket_loop_stuck", ["loop"],
        "1 while a callback blocks a loop for a second or more")
    static let loopConnections = MetricFamily(
        .gauge, "rocket_loop_connections", ["loop"], "Connections of a loop")
    static let loopTasks = MetricFamily(
        .gauge, "rocket_loop_tasks_waiting", ["loop"], "Tasks that wait for a loop")
    static let channelInFlight = MetricFamily(
        .gauge, "rocket_client_in_flight", ["target"], "Calls of a channel that have not ended")
    static let channelConnects = MetricFamily(
        .counter, "rocket_client_connects_total", ["target", "result"],
        "Connections that a channel has tried, by result: ok, failed")
    static let channelLost = MetricFamily(
        .counter, "rocket_client_connections_lost_total", ["target"],
        "Connections that ended while their channel was open")
    static let channelRetries = MetricFamily(
        .counter, "rocket_client_retries_total", ["target", "result"],
        "Attempts to send a call again, by result: sent, refused (by the budget)")
    static let channelHedges = MetricFamily(
        .counter, "rocket_client_hedges_total", ["target", "result"],
        "Second attempts before the first had ended, by result: sent, won")
    static let channelEjections = MetricFamily(
        .counter, "rocket_client_ejections_total", ["target"],
        "How often a server was left out because many of its calls had failed")
    static let endpointReady = MetricFamily(
        .gauge, "rocket_client_endpoint_ready", ["target", "address"],
        "1 for a server that gets calls, 0 for one that is not connected or left out")
    static let traceSpans = MetricFamily(
        .counter, "rocket_trace_spans_total", ["result"],
        "Spans of traces, by result: exported, dropped (no room), rejected (by the collector), failed (given up)"
    )
    static let traceWaiting = MetricFamily(
        .gauge, "rocket_trace_spans_waiting", "Spans that wait for their export")
    static let traceExports = MetricFamily(
        .counter, "rocket_trace_exports_total", ["result"],
        "Attempts to export spans, by result: ok, failed")
    static let logLines = MetricFamily(
        .counter, "rocket_log_lines_total", ["result"],
        "Lines of the log, by result: written, dropped (no memory), lost (not written)")
    static let processCPU = MetricFamily(
        .counter, "process_cpu_seconds_total", "Processor time of all threads")
    static let processMemory = MetricFamily(
        .gauge, "process_resident_memory_bytes", "Resident memory")
    static let processHeap = MetricFamily(
        .gauge, "rocket_process_heap_bytes", "Bytes that are allocated by malloc and not freed")
    static let processDescriptors = MetricFamily(
        .gauge, "process_open_fds", "Open file descriptors")
    static let processDescriptorLimit = MetricFamily(
        .gauge, "process_max_fds", "The limit on open file descriptors")
    static let processStart = MetricFamily(
        .gauge, "process_start_time_seconds",
        "When the server was created, in seconds since 1970")
    static let applicationSeries = MetricFamily(
        .gauge, "rocket_metrics_series", "Series of the program's own metrics")
    static let applicationRefused = MetricFamily(
        .counter, "rocket_metrics_refused_total", ["reason"],
        "Handles of the program's own metrics that record nothing, by reason: series, name, labels, kind"
    )

    /// All, in the order of `/metrics`.
    static let all: [MetricFamily] = [
        buildInfo, up, started, handled, refused, handling, inFlight, requestBytes, responseBytes,
        refusals, timedOut, cancelled, brokenStreams, connections, connectionsMoved,
        unsentBytes, kernelBytes, unreadPeers, limit, limitCurrent,
        limitHighest, limitRefusals, overloadedLoops, loopBusy, loopTicks, loopDelay, loopLongest,
        loopSlow, loopStuck, loopConnections, loopTasks, channelInFlight, channelConnects,
        channelLost, channelRetries, channelHedges, channelEjections, endpointReady, traceSpans,
        traceWaiting, traceExports, logLines,
        processCPU, processMemory, processHeap, processDescriptors, processDescriptorLimit,
        processStart, applicationSeries, applicationRefused,
    ]

    /// The table of docs/metrics.md.
    static var documentation: String {
        let rows = all.map { family in
            let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(family.name)` | \(family.kind.rawValue) | \(labels) | \(family.help). |"
        }
        return (["| metric | type | labels | meaning |", "|---|---|---|---|"] + rows).joined(
            separator: "\n")
    }
}
