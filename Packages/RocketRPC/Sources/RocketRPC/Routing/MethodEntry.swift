import RocketBase
import SwiftProtobuf

/// A registered method with its types erased: an entry of the method table. A class, so that
/// serving a call passes on one reference. Public for generated code only.
public final class _MethodEntry: Sendable {
    /// Consumes the request from the connection's input, awaits the handler, and sends the reply.
    public typealias Awaited =
        nonisolated(nonsending) @Sendable (_ServingContext, _MethodEntry) async -> Void
    /// Runs the handler with a request that stays in the input, and sends the reply.
    @usableFromInline
    typealias Synchronous = @Sendable (_ServingContext, _MethodEntry, RawSpan) -> Void

    /// How a call of the method is served.
    @usableFromInline
    enum Handler: Sendable {
        case awaited(Awaited)
        /// Neither the handler nor any interceptor suspends.
        case synchronous(Synchronous)
    }

    let handler: Handler
    let fullName: String
    let fullNameBytes: [UInt8]
    /// The full name of the request's message type.
    let requestName: String
    let responseName: String
    let limits: MethodLimits
    /// Set for methods of `rocket.Health`.
    let health: HealthMethod?
    /// Whether calls are served while the server drains, and above its limits on calls in flight:
    /// true for methods of `rocket.Health`, which have limits of their own.
    var isAlwaysServed: Bool { health != nil }

    init<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ handler: Handler, _ limits: MethodLimits,
        health: HealthMethod? = nil
    ) {
        self.handler = handler
        self.limits = limits
        self.health = health
        fullName = method.fullName
        fullNameBytes = method.fullNameBytes
        requestName = Request.protoMessageName
        responseName = Response.protoMessageName
    }

    var isSynchronous: Bool {
        if case .synchronous = handler { true } else { false }
    }

    /// The error of a call whose payload is not a valid request.
    var noRequest: RPCError { RPCError(.failedDeserialize, "the request is no \(requestName)") }

    /// Calls `body` with the bytes of the full name, as in a frame.
    @inline(__always)
    func withName<Result>(_ body: (RawSpan) -> Result) -> Result {
        // SAFETY: the span can't escape the closure, and the array is never changed.
        unsafe fullNameBytes.withUnsafeBytes { unsafe body(RawSpan(_unsafeBytes: $0)) }
    }
}
