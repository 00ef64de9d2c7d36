import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP

/// The sampled calls with their stages, by method, code and least duration. A value.
struct CallsPage {
    let view: AdminView
    let query: FormFields

    /// In their order.
    static let stages = ["queue", "decode", "handler", "output", "encode", "flush"]

    private typealias Call = RPCServerSnapshot.SampledCall

    var contents: PageContents {
        AdminPage.calls.contents(of: table, query, controls: form)
    }

    private var minimum: Duration? {
        query["min_ms"].flatMap(Double.init).flatMap { milliseconds in
            (0...86_400_000).contains(milliseconds)
                ? .nanoseconds(Int64(milliseconds * 1e6)) : nil
        }
    }

    /// The beginning of the id of a trace.
    private var trace: String? { query["trace"].map { $0.lowercased() } }

    private func isShown(_ call: Call) -> Bool {
        if let method = query["method"], call.method != method { return false }
        if let code = query["code"], call.code.label != code.uppercased() { return false }
        if let reason = query["reason"], call.reason.rawValue != reason { return false }
        if let trace, call.traceID?.hasPrefix(trace) != true { return false }
        if let minimum, call.total < minimum { return false }
        return true
    }

    private var table: Table {
        let all = view.server.sampledCalls
        let calls = all.filter(isShown)
        let empty: HTML =
            all.isEmpty
            ? (view.server.collectsMetrics
                ? "No call has been kept yet: slow, failed, cancelled and traced ones are, and one in many."
                : "Calls are not recorded: the server was created without collectsMetrics.")
            : "None of the \(all.count) calls that were kept is like that."
        return Table(
            id: "calls",
            columns: [
                .text("time", "Ended"), .text("method", "Method"), .text("code", "Code"),
                .text("reason", "Kept as"),
                .number("total_seconds", "Total", "From the read of its request to its reply"),
                .text(
                    "stages", "Stages", "Where the time went, in the order of the columns behind"),
                .number("queue_seconds", "Queue", "Waited since its request was read"),
                .number("decode_seconds", "Decode"),
                .number("handler_seconds", "Handler", "Ran and waited"),
                .number(
                    "output_wait_seconds", "Output",
                    "Waited for a peer that reads slowly: to write the reply, or messages of a stream"
                ),
                .number("encode_seconds", "Encode"),
                .number("flush_seconds", "Flush", "Until the reply was passed to the kernel"),
                .number("request_bytes", "Request"), .number("response_bytes", "Response"),
                .text("peer", "Peer"), .text("identity", "Identity"), .text("wire", "Protocol"),
                .text("trace_id", "Trace"), .text("error", "Error", "The text of its error"),
            ], rows: calls.map(row), empty: empty)
    }

    private func row(_ call: Call) -> [Table.Cell] {
        let stage = { (time: Duration?) -> Table.Cell in time.map { .time($0) } ?? .missing }
        return [
            .moment(call.time), .code(call.method),
            call.code == .success ? .state("OK", .good) : .state(call.code.label, .bad),
            .text(call.reason.rawValue), .time(call.total),
            .bar(call.stages), .time(call.queue), stage(call.decode), stage(call.handler),
            stage(call.outputWait), stage(call.encode),
            call.awaitsFlush ? .timeSoFar(call.flush ?? .zero) : stage(call.flush),
            .bytes(UInt64(max(0, call.requestBytes))), .bytes(UInt64(max(0, call.responseBytes))),
            .code(call.peer.description),
            call.identity.isEmpty ? .missing : .text(call.identity), .text(call.wire),
            call.traceID.map { .link($0, to: "/calls?trace=\($0)") } ?? .missing,
            call.error.isEmpty ? .missing : .text(call.error),
        ]
    }

    private var form: HTML {
        let methods = Set(
            view.server.sampledCalls.map(\.method) + (query["method"].map { [$0] } ?? []))
        let codes = Set(
            view.server.sampledCalls.map(\.code.label)
                + (query["code"].map { [$0.uppercased()] } ?? []))
        let reasons = Call.Reason.allCases.map(\.rawValue)
        let clear: HTML =
            ["method", "code", "reason", "trace", "min_ms"].contains { query[$0] != nil }
            ? "<a class=\"button\" href=\"/calls\">Clear</a>" : ""
        return """
            <form class="controls" method="get" action="/calls" role="search">
            \(select("method", "Method", methods.sorted()))
            \(select("code", "Code", codes.sorted(), query["code"]?.uppercased()))
            \(select("reason", "Kept as", reasons))
            <label>Trace <input type="search" name="trace" value="\(query["trace"] ?? "")" \
            autocomplete="off" spellcheck="false"></label>
            <label>At least <input type="number" name="min_ms" min="0" step="any" \
            value="\(query["min_ms"] ?? "")" class="short"> ms</label>
            <button>Filter</button>\(clear)
            </form>
            \(Chart.legend(Self.stages))
            """
    }

    private func select(
        _ name: String, _ title: String, _ choices: [String], _ chosen: String? = nil
    ) -> HTML {
        let chosen = chosen ?? query[name]
        let options = choices.map { choice -> HTML in
            let selected: HTML = choice == chosen ? " selected" : ""
            return "<option\(selected)>\(choice)</option>"
        }
        return """
            <label>\(title) <select name="\(name)"><option value="">all</option>\(options)</select>\
            </label>
            """
    }
}

extension RPCServerSnapshot.SampledCall {
    /// From the read of its request to the end of its reply.
    var total: Duration { queue + duration + (flush ?? .zero) }

    /// The stages as shares of the total, in their order.
    var stages: [Table.Stage] {
        let all = Double(max(1, total.wholeNanoseconds))
        let times = [queue, decode, handler, outputWait, encode, flush]
        return zip(CallsPage.stages, times).compactMap { name, time in
            guard let time, time > .zero else { return nil }
            return Table.Stage(name: name, share: Double(time.wholeNanoseconds) / all)
        }
    }
}
