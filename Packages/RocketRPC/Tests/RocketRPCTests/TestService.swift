import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import SwiftProtobuf

typealias Text = Google_Protobuf_StringValue
typealias Number = Google_Protobuf_Int64Value

/// What large payloads are made of. swift-protobuf checks a string's UTF-8 one scalar at a time:
/// in a debug build under the thread sanitizer 100,000 of them take half a minute.
typealias Bytes = Google_Protobuf_BytesValue

/// A service of well-known messages, in the form of generated code.
struct TestService: RPCService {
    static var serviceName: String { "test.v1.Test" }

    static let echo = RPCMethod<Text, Text>(service: serviceName, name: "echo")
    static let echoBytes = RPCMethod<Bytes, Bytes>(service: serviceName, name: "echoBytes")
    static let hold = RPCMethod<Number, Number>(service: serviceName, name: "hold")
    static let fail = RPCMethod<Text, Text>(service: serviceName, name: "fail")
    static let describe = RPCMethod<Text, Text>(service: serviceName, name: "describe")
    static let never = RPCMethod<Text, Text>(service: serviceName, name: "never")

    struct Plain: Error {}

    let gate = Gate()

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.echo) { request, _ in request }
        try registry.add(Self.echoBytes) { request, _ in request }
        try registry.add(Self.hold) { request, _ in
            await gate.wait()
            return request
        }
        try registry.add(Self.fail) { request, _ in
            switch request.value {
            case "rpc": throw RPCError(.permissionDenied, "not you")
            case "business": throw BusinessError(-7, "no")
            case "zero": throw RPCError(RPCErrorCode(rawValue: 0), "no error at all")
            case "business zero": throw BusinessError(0, "no refusal at all")
            default: throw Plain()
            }
        }
        try registry.add(Self.describe) { request, call in
            call.replyMetadata["x-seen"] = call.requestMetadata["x-sent"]
            return Text("\(call.method) \(call.messageID.count) \(call.deadline != nil)")
        }
        try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "chatty")) {
            request, call in
            call.replyMetadata["x-much"] = String(repeating: "x", count: 600)
            return request
        }
        try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "triple")) {
            request, _ in Text(request.value + request.value + request.value)
        }
        try registry.add(Self.never) { request, _ in
            await withTaskCancellationHandler {
                await gate.wait()
            } onCancel: {
                gate.cancelled.withLock { $0 += 1 }
                gate.open()
            }
            return request
        }
    }
}

/// Suspends tasks until it is opened.
final class Gate: Sendable {
    private let state = Locked<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>(
        (false, []))
    private let arrivals = Locked<(count: Int, waiting: [(Int, CheckedContinuation<Void, Never>)])>(
        (0, []))
    let cancelled = Locked(0)

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
            arrive()
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting.shuffled() { continuation.resume() }
    }

    /// The number of tasks that have called `wait` so far.
    var arrivalCount: Int { arrivals.withLock { $0.count } }

    /// Returns when `count` tasks have called `wait`.
    func arrived(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = arrivals.withLock { arrivals in
                if arrivals.count < count { arrivals.waiting.append((count, continuation)) }
                return arrivals.count >= count
            }
            if isThere { continuation.resume() }
        }
    }

    private func arrive() {
        let there = arrivals.withLock { arrivals in
            arrivals.count += 1
            let count = arrivals.count
            let there = arrivals.waiting.filter { $0.0 <= count }.map(\.1)
            arrivals.waiting.removeAll { $0.0 <= count }
            return there
        }
        for continuation in there { continuation.resume() }
    }
}
