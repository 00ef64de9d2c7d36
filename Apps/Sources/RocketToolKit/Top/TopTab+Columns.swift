extension TopTab {
    /// The columns that are shown: those of the page that matter most at a glance.
    var columns: [Column] {
        switch self {
        case .methods:
            [
                .init("method", "METHOD", .text), .init("calls_per_second", "CALLS/S", .rate),
                .init("errors_per_second", "ERRORS/S", .rate),
                .init("p50_seconds", "P50", .seconds),
                .init("p99_seconds", "P99", .seconds), .init("p999_seconds", "P99.9", .seconds),
                .init("in_flight", "IN FLIGHT", .count), .init("calls", "CALLS", .count),
                .init("errors", "ERRORS", .count), .init("refused", "REFUSED", .count),
                .init("last_error_code", "LAST ERROR", .text),
            ]
        case .connections:
            [
                .init("peer", "PEER", .text), .init("identity", "IDENTITY", .text),
                .init("wire", "PROTOCOL", .text), .init("age_seconds", "AGE", .seconds),
                .init("idle_seconds", "SILENT FOR", .seconds),
                .init("in_flight", "IN FLIGHT", .count), .init("streams", "STREAMS", .count),
                .init("unsent_bytes", "UNSENT", .bytes),
                .init("kernel_bytes", "IN KERNEL", .bytes),
                .init("unread_seconds", "UNREAD FOR", .seconds),
                .init("received_bytes", "RECEIVED", .bytes),
                .init("sent_bytes", "SENT", .bytes), .init("state", "STATE", .text),
            ]
        case .calls:
            [
                .init("time", "ENDED", .text), .init("method", "METHOD", .text),
                .init("code", "CODE", .text), .init("reason", "KEPT AS", .text),
                .init("total_seconds", "TOTAL", .seconds),
                .init("queue_seconds", "QUEUE", .seconds),
                .init("handler_seconds", "HANDLER", .seconds),
                .init("output_wait_seconds", "OUTPUT", .seconds),
                .init("flush_seconds", "FLUSH", .seconds), .init("peer", "PEER", .text),
                .init("error", "ERROR", .text),
            ]
        case .channels:
            [
                .init("target", "TARGET", .text), .init("state", "STATE", .text),
                .init("servers", "SERVERS", .text), .init("in_flight", "IN FLIGHT", .count),
                .init("picks", "PICKS", .count), .init("ejections", "EJECTIONS", .count),
                .init("retries", "RETRIES", .count),
                .init("retries_refused", "NOT RETRIED", .count),
                .init("retry_budget", "BUDGET", .rate),
            ]
        case .loops:
            [
                .init("loop", "LOOP", .text), .init("state", "STATE", .text),
                .init("busy_share", "BUSY", .share), .init("delay_seconds", "DELAY", .seconds),
                .init("longest_callback_seconds", "LONGEST", .seconds),
                .init("slow_callbacks", "SLOW", .count),
                .init("connections", "CONNECTIONS", .count),
                .init("tasks_waiting", "WAITING", .count),
            ]
        case .limits:
            [
                .init("limit", "LIMIT", .text), .init("current", "NOW", .count),
                .init("highest", "HIGHEST", .count), .init("most", "AT MOST", .count),
                .init("used_share", "USED", .share), .init("refusals", "REFUSALS", .count),
            ]
        }
    }
}
