import RocketDNS
import RocketSystem
import RocketTCP

/// The addresses that hosts had: they stay in use while they can't be looked up, and keep their order,
/// which servers change with each answer, since the addresses of an endpoint are its identity. A value.
struct DNSMemory {
    struct Found: Equatable {
        /// With port 0.
        var addresses: [NetAddress]
        var ttl: Duration?
        /// Whether all of them are of the last lookup.
        var isComplete = true
    }

    private var hosts: [String: [NetAddress]] = [:]

    /// Takes over the result of a lookup, and returns what is used.
    mutating func take(
        _ result: Result<DNSAddresses, DNSError>, of host: String
    ) -> Result<Found, DNSError> {
        let old = hosts[host] ?? []
        switch result {
        case .success(let answer):
            let new = answer.addresses.map { NetAddress($0.address).withPort(0) }
            var found = Found(addresses: Self.ordered(new, as: old), ttl: answer.minimumTTL)
            if answer.missingFamily != nil {
                found.isComplete = false
                found.addresses = Self.joined(new, with: old)
            }
            hosts[host] = found.addresses
            return .success(found)
        case .failure(let error):
            if error.isNegative || old.isEmpty {
                hosts[host] = nil
                return .failure(error)
            }
            return .success(Found(addresses: old, ttl: nil, isComplete: false))
        }
    }

    /// Forgets all other hosts.
    mutating func keep(_ names: Set<String>) {
        // determinism: only what is kept changes
        hosts = hosts.filter { names.contains($0.key) }
    }

    /// The families as they are in `new`; within each, first what was in `old`, in its order.
    private static func ordered(_ new: [NetAddress], as old: [NetAddress]) -> [NetAddress] {
        let (current, known) = (Set(new), Set(old))
        let stable = old.filter(current.contains) + new.filter { !known.contains($0) }
        var queues = (
            stable.filter { !$0.isIPv6 }[...], stable.filter(\.isIPv6)[...]
        )
        return new.compactMap { $0.isIPv6 ? queues.1.popFirst() : queues.0.popFirst() }
    }

    /// `new`, and of `old` what is of a family that `new` has not, in the order of `old`.
    private static func joined(_ new: [NetAddress], with old: [NetAddress]) -> [NetAddress] {
        let (current, known) = (Set(new), Set(old))
        let families = Set(new.map(\.isIPv6))
        return old.filter { current.contains($0) || !families.contains($0.isIPv6) }
            + new.filter { !known.contains($0) }
    }
}

extension NetAddress {
    var isIPv6: Bool {
        switch socketAddress {
        case .ipv6: true
        default: false
        }
    }
}
