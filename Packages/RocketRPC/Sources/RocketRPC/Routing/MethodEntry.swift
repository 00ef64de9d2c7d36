import RocketBase
import SwiftProtobuf

/// A registered method with its types erased: what the frozen table holds. One object, so that a
/// call passes one reference on.
@usableFromInline
final class MethodEntry: Sendable {
    /// Takes the request out of the connection's input, runs the handler, and answers.
    @usableFromInline
    typealias Awaited =
        nonisolated(nonsending) @Sendable (ServingContext, MethodEntry) async -> Void
    /// The same with a request that stays where it is.
    @usableFromInline
    typealias Synchronous = @Sendable (ServingContext, MethodEntry, RawSpan) -> Void

    /// How a call of it is served.
    @usableFromInline
    enum Handler: Sendable {
        case awaited(Awaited)
        /// Its handler never waits, and nothing around it does.
        case synchronous(Synchronous)
    }

    let handler: Handler
    let fullName: String
    let fullNameBytes: [UInt8]
    /// The full name of the request's message.
    let requestName: String
    let responseName: String
    let limits: MethodLimits
    /// It is served while the server drains and beyond its limits on calls in flight: it tells how
    /// the server is.
    let isAlwaysServed: Bool

    init<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ handler: Handler, _ limits: MethodLimits,
        isAlwaysServed: Bool
    ) {
        self.handler = handler
        self.limits = limits
        self.isAlwaysServed = isAlwaysServed
        fullName = method.fullName
        fullNameBytes = method.fullNameBytes
        requestName = Request.protoMessageName
        responseName = Response.protoMessageName
    }

    var isSynchronous: Bool {
        if case .synchronous = handler { true } else { false }
    }

    /// Why a call with bytes that are no request fails.
    var noRequest: RPCError { RPCError(.failedDeserialize, "the request is no \(requestName)") }

    /// The name as it stands on the wire, for the time of the closure.
    @inline(__always)
    func withName<Result>(_ body: (RawSpan) -> Result) -> Result {
        // SAFETY: the span can't leave the closure, and the array is never changed.
        unsafe fullNameBytes.withUnsafeBytes { unsafe body(RawSpan(_unsafeBytes: $0)) }
    }
}
