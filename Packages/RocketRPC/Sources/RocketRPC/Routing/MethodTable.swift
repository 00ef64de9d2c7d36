import RocketBase
import RocketCodec
import SwiftProtobuf
import Synchronization

/// Immutable hash table of all methods of a server, looked up by the raw bytes of a name.
///
/// Open addressing with at most half of the slots used: a look-up allocates nothing and takes one
/// or two steps.
struct MethodTable: Sendable {
    private let slots: [Slot]
    /// In the order of their indices.
    let entries: [_MethodEntry]
    let hasSynchronous: Bool
    private let services: Set<String>

    private struct Slot {
        var hash: UInt64 = 0
        var entry: _MethodEntry?
    }

    var serviceNames: [String] { services.sorted() }

    init(_ registry: RPCServiceRegistry) throws(RPCRegistrationError) {
        entries = registry.entries
        hasSynchronous = entries.contains { $0.isSynchronous }
        services = Set(registry.services.keys)
        let known = Set(entries.map(\.fullName))
        if let unknown = registry.limits.methods.keys.sorted().first(where: { !known.contains($0) })
        {
            throw RPCRegistrationError(
                description: "there are limits for '\(unknown)', which is no registered method")
        }
        var size = 8
        while size < entries.count * 2 { size *= 2 }
        var slots = [Slot](repeating: Slot(), count: size)
        for entry in entries {
            let hash = entry.withName { byteHash($0) }
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while slots[slot].entry != nil { slot = (slot + 1) & (size - 1) }
            slots[slot] = Slot(hash: hash, entry: entry)
        }
        self.slots = slots
    }

    /// Creates the table of one loop, with methods of its own: loops that counted references of the same
    /// one would wait for each other's cache line.
    init(ofLoop table: MethodTable) {
        let entries = table.entries.map { _MethodEntry(ofLoop: $0) }
        slots = table.slots.map { slot in
            Slot(hash: slot.hash, entry: slot.entry.map { entries[$0.index] })
        }
        self.entries = entries
        hasSynchronous = table.hasSynchronous
        services = table.services
    }

    /// Returns the method with that full name; nil if there is none (see `failure(for:)`).
    func find(_ name: RawSpan) -> _MethodEntry? {
        let hash = byteHash(name)
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while let entry = slots[slot].entry {
            if slots[slot].hash == hash, entry.isNamed(name) { return entry }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    /// Returns the error for a name that is not in the table. The name is split at its last dot.
    func failure(for name: String) -> RPCError {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex,
            name.index(after: dot) != name.endIndex
        else {
            return RPCError(
                .parseServiceName, "'\(name)' is no method name; expected Service.method")
        }
        let service = String(name[..<dot])
        return services.contains(service)
            ? RPCError(
                .methodNotFound,
                "the service '\(service)' has no method '\(name[name.index(after: dot)...])'")
            : RPCError(.serviceNotFound, "there is no service '\(service)'")
    }
}

/// A registered method with its types erased: an entry of the method table. A class, so that
/// serving a call passes on one reference. Public for generated code only.
public final class _MethodEntry: Sendable {
    /// Consumes the request from the connection's input, awaits the handler, and sends the reply.
    public typealias Awaited =
        nonisolated(nonsending) @Sendable (_ServingContext, _MethodEntry) async -> Void
    /// Runs the handler with the request, and sends the reply. The two spans are the msg_id and the
    /// payload of the call's frame, which stays in the input.
    @usableFromInline
    typealias Synchronous = @Sendable (_ServingContext, _MethodEntry, RawSpan, RawSpan) -> Void

    /// How a call of the method is served.
    @usableFromInline
    enum Handler: Sendable {
        case awaited(Awaited)
        /// Neither the handler nor any interceptor suspends.
        case synchronous(Synchronous)
    }

    let handler: Handler
    let isSynchronous: Bool
    /// The one of a synchronous `handler`. A property that is never nil is called without counting
    /// a reference, other than the contents of an enum.
    let synchronous: Synchronous
    /// Its index among the methods of its dispatcher.
    let index: Int
    /// What can be changed while calls are served; the same object for all loops.
    let settings: Settings
    let fullName: String
    let fullNameBytes: [UInt8]
    /// The full name of the request's message type.
    let requestName: String
    let responseName: String
    let messages: MessageTypes
    let limits: MethodLimits
    let kind: RPCMethodKind
    /// Set for methods of `rocket.Health`.
    let health: HealthMethod?
    /// Whether calls are served while the server drains, and above its limits on calls in flight:
    /// true for methods of `rocket.Health`, which have limits of their own.
    var isAlwaysServed: Bool { health != nil }
    /// Whether its calls are served under overload, too: health checks tell a balancer that the
    /// server is alive.
    let isAlwaysAdmitted: Bool

    /// What can be changed while calls are served. Calls only read it. Any thread.
    final class Settings: Sendable {
        /// Whether it has to be checked who makes a call.
        let isChecked = Atomic(false)
        /// Whether its callers may claim the highest priority.
        let acceptsCritical = Atomic(false)
        /// The sum of its adaptive limits on all loops; 0: it has none.
        let adaptiveLimit = Atomic(0)
    }

    init<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ handler: Handler, _ limits: MethodLimits,
        index: Int, health: HealthMethod? = nil
    ) {
        self.handler = handler
        if case .synchronous(let serve) = handler {
            (isSynchronous, synchronous) = (true, serve)
        } else {
            (isSynchronous, synchronous) = (false, { _, _, _, _ in })
        }
        self.index = index
        settings = Settings()
        self.limits = limits
        kind = method.kind
        self.health = health
        fullName = method.fullName
        fullNameBytes = method.fullNameBytes
        isAlwaysAdmitted = health != nil || fullName.hasPrefix("grpc.health.v1.Health.")
        requestName = Request.protoMessageName
        responseName = Response.protoMessageName
        messages = MessageTypes(request: Request.self, response: Response.self)
    }

    /// Creates the method of one loop, with the same handler.
    init(ofLoop method: _MethodEntry) {
        handler = method.handler
        (isSynchronous, synchronous) = (method.isSynchronous, method.synchronous)
        index = method.index
        settings = method.settings
        limits = method.limits
        kind = method.kind
        health = method.health
        // Copies, of which calls count references, too.
        fullNameBytes = method.fullNameBytes.map { $0 }
        fullName = String(decoding: fullNameBytes, as: UTF8.self)
        isAlwaysAdmitted = method.isAlwaysAdmitted
        requestName = method.requestName
        responseName = method.responseName
        messages = method.messages
    }

    /// The error of a call whose payload is not a valid request.
    var noRequest: RPCError { RPCError(.failedDeserialize, "the request is no \(requestName)") }

    /// Whether `name` is its full name, as in a frame.
    @inline(__always)
    func isNamed(_ name: RawSpan) -> Bool { withName { sameBytes(name, $0) } }

    /// Calls `body` with the bytes of the full name, as in a frame.
    @inline(__always)
    func withName<Result>(_ body: (RawSpan) -> Result) -> Result {
        // SAFETY: the span can't escape the closure, and the array is never changed.
        unsafe fullNameBytes.withUnsafeBytes { unsafe body(RawSpan(_unsafeBytes: $0)) }
    }
}
