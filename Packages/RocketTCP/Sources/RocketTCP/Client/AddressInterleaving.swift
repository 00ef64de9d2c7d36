import RocketSystem

/// The order in which the addresses of one name are tried (RFC 8305, "happy eyeballs"): the
/// families alternate, beginning with that of the first address. Duplicates are dropped. Any
/// thread.
enum AddressInterleaving {
    static func interleaved(_ addresses: [NetAddress]) -> [NetAddress] {
        var seen: Set<NetAddress> = []
        let unique = addresses.filter { seen.insert($0).inserted }
        guard let lead = unique.first else { return [] }
        let preferred = unique.filter { family($0) == family(lead) }
        let others = unique.filter { family($0) != family(lead) }
        var result: [NetAddress] = []
        for index in 0..<max(preferred.count, others.count) {
            if index < preferred.count { result.append(preferred[index]) }
            if index < others.count { result.append(others[index]) }
        }
        return result
    }

    private static func family(_ address: NetAddress) -> Int {
        switch address.socketAddress {
        case .ipv4: 4
        case .ipv6: 6
        case .unix, .abstract, .unnamed: 0
        }
    }
}
