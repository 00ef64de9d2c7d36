import RocketCodec

/// A method with all that a call of it needs.
struct MethodEntry: Sendable {
    let handler: any MethodHandler
    let limits: MethodLimits
    /// Its handler never waits, and nothing around it does.
    let isSynchronous: Bool
    /// It is served while the server drains and beyond its limits on calls in flight: it tells how
    /// the server is.
    let isAlwaysServed: Bool
}

/// All methods of a server, found by the raw bytes of their names: built once, never changed.
///
/// Open addressing with at most half of the slots taken, so a look-up allocates nothing and ends
/// after a step or two.
struct MethodTable: Sendable {
    private let slots: [Int32]
    private let hashes: [UInt64]
    let entries: [MethodEntry]
    let hasSynchronous: Bool
    private let services: Set<String>

    var serviceNames: [String] { services.sorted() }

    init(_ registry: RPCServiceRegistry) throws(RPCRegistrationError) {
        entries = registry.entries
        hasSynchronous = entries.contains { $0.isSynchronous }
        services = Set(registry.services.keys)
        let known = Set(entries.map(\.handler.fullName))
        if let unknown = registry.limits.methods.keys.sorted().first(where: { !known.contains($0) })
        {
            throw RPCRegistrationError(
                description: "there are limits for '\(unknown)', which is no registered method")
        }
        hashes = entries.map { unsafe byteHash($0.handler.fullNameBytes.span.bytes) }
        var size = 8
        while size < entries.count * 2 { size *= 2 }
        var slots = [Int32](repeating: -1, count: size)
        for (index, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int32(index)
        }
        self.slots = slots
    }

    /// The handler of the method with that full name; nil where `failure(for:)` says why.
    func lookup(_ name: RawSpan) -> MethodEntry? {
        let hash = byteHash(name)
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let index = Int(slots[slot])
            if index < 0 { return nil }
            if hashes[index] == hash, sameBytes(name, entries[index].handler.fullNameBytes) {
                return entries[index]
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// Why a name is not in the table. The name is split at its last dot.
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
