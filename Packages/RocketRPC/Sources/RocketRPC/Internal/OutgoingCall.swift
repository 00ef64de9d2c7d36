import RocketBase
import RocketSystem
import SwiftProtobuf

/// A call on its way, with its types erased. Whoever takes it out of the pending table ends it.
protocol OutgoingCall: AnyObject, Sendable {
    var methodName: [UInt8] { get }
    var metadata: RPCMetadata { get }
    var deadline: MonotonicTime? { get }

    /// Whether the caller has given up; from then on nothing needs to be sent.
    var isCancelled: Bool { get }

    /// Appends the serialized request.
    func encode(into buffer: inout ByteBuffer) throws(RPCError)
    /// The reply arrived.
    func succeed(_ payload: RawSpan)
    func fail(_ error: RPCError)
}

/// A request and the continuation of the task that waits for its response.
final class UnaryCall<Request: Message & Sendable, Response: Message & Sendable>: OutgoingCall {
    typealias Outcome = Result<Response, RPCError>

    // SAFETY: the continuation is resumed once: `finish` takes it away under the lock.
    @safe private struct State {
        var continuation: UnsafeContinuation<Outcome, Never>?
        var isCancelled = false
    }

    private let method: RPCMethod<Request, Response>
    private let request: Request
    private let state = Locked(State())
    let metadata: RPCMetadata
    let deadline: MonotonicTime?

    var methodName: [UInt8] { method.fullNameBytes }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    init(
        _ method: RPCMethod<Request, Response>, _ request: Request, metadata: RPCMetadata,
        deadline: MonotonicTime?
    ) {
        self.method = method
        self.request = request
        self.metadata = metadata
        self.deadline = deadline
    }

    /// Before the call is handed over.
    func wait(with continuation: UnsafeContinuation<Outcome, Never>) {
        state.withLock { unsafe $0.continuation = continuation }
    }

    func cancel() { state.withLock { $0.isCancelled = true } }

    func encode(into buffer: inout ByteBuffer) throws(RPCError) {
        let bytes: [UInt8]
        do {
            bytes = try request.serializedBytes()
        } catch {
            throw RPCError(.failedSerialize, "the request can't be serialized", cause: error)
        }
        buffer.append(bytes)
    }

    func succeed(_ payload: RawSpan) {
        do {
            finish(.success(try Response(serializedBytes: payload)))
        } catch {
            finish(
                .failure(
                    RPCError(
                        .failedDeserialize, "the reply is no \(Response.protoMessageName)",
                        cause: error)))
        }
    }

    func fail(_ error: RPCError) { finish(.failure(error)) }

    private func finish(_ outcome: Outcome) {
        let waiting = unsafe state.withLock { state in
            defer { unsafe state.continuation = nil }
            return unsafe state.continuation
        }
        unsafe waiting?.resume(returning: outcome)
    }
}
