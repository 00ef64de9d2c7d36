import RocketBase
import RocketCodec

/// Immutable hash table of all methods of a server, looked up by the raw bytes of a name.
///
/// Open addressing with at most half of the slots used: a look-up allocates nothing and takes one
/// or two steps.
struct MethodTable: Sendable {
    private let slots: [Slot]
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

    /// Returns the method with that full name; nil if there is none (see `failure(for:)`).
    func find(_ name: RawSpan) -> _MethodEntry? {
        let hash = byteHash(name)
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while let entry = slots[slot].entry {
            if slots[slot].hash == hash, entry.withName({ sameBytes(name, $0) }) { return entry }
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
