import FoundationEssentials
import RocketNames
import RocketRPC

/// The servers of a name as they are in etcd. A value: answers of etcd go in, the list comes out.
struct EtcdServers {
    /// A key that announces no server.
    struct Fault: Hashable {
        let key: String
        let reason: String
    }

    /// The most keys that are taken; others are ignored until there is room.
    static let maxKeys = 10_000

    private var servers: [String: RPCEndpoint] = [:]
    /// Keys that were ignored because there were too many.
    private(set) var isFull = false
    /// A key was removed while others were ignored: only a new list has them.
    private(set) var needsListing = false

    /// Takes over a list in place of all before it.
    ///
    /// - Returns: whether anything has changed, and what was ignored.
    mutating func replace(
        _ pairs: [EtcdClient.Pair], isComplete: Bool
    ) -> (isChanged: Bool, faults: [Fault]) {
        let old = servers
        servers = [:]
        isFull = !isComplete
        needsListing = false
        var faults: [Fault] = []
        for pair in pairs { set(pair, &faults) }
        return (servers != old, faults)
    }

    /// Takes over changes, in their order.
    mutating func apply(_ events: [Etcdserverpb_Event]) -> (isChanged: Bool, faults: [Fault]) {
        var isChanged = false
        var faults: [Fault] = []
        for event in events {
            let key = Self.text(event.kv.key)
            let old = servers[key]
            switch event.type {
            case .put: set(event.kv, &faults)
            case .delete:
                if servers.removeValue(forKey: key) != nil, isFull { needsListing = true }
            case .UNRECOGNIZED: break
            }
            if servers[key] != old { isChanged = true }
        }
        return (isChanged, faults)
    }

    /// The servers in the order of their keys.
    var endpoints: [RPCEndpoint] {
        // By its own key each: a total order.
        servers.sorted { $0.key < $1.key }.map(\.value)
    }

    private mutating func set(_ pair: EtcdClient.Pair, _ faults: inout [Fault]) {
        let key = Self.text(pair.key)
        if servers.count >= Self.maxKeys, servers[key] == nil {
            if !isFull { faults.append(Fault(key: key, reason: "is beyond \(Self.maxKeys) keys")) }
            isFull = true
            return
        }
        guard let json = String(validating: pair.value, as: UTF8.self) else {
            return ignore(key, "is not UTF-8", &faults)
        }
        do throws(AnnouncementError) {
            servers[key] = try Announcement(json: json).endpoint
        } catch {
            ignore(key, error.description, &faults)
        }
    }

    /// What the key was before is no server either.
    private mutating func ignore(_ key: String, _ reason: String, _ faults: inout [Fault]) {
        servers[key] = nil
        faults.append(Fault(key: key, reason: reason))
    }

    private static func text(_ key: Data) -> String { String(decoding: key, as: UTF8.self) }
}
