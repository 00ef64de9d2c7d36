import FoundationEssentials
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketEtcd

@Suite struct EtcdServersTests {
    private func pair(_ key: String, _ value: String) -> EtcdClient.Pair {
        .with {
            $0.key = Data(key.utf8)
            $0.value = Data(value.utf8)
        }
    }

    private func server(_ number: Int) -> EtcdClient.Pair {
        pair("s/\(number)", #"{"Addr":"10.0.0.1:\#(number)"}"#)
    }

    private func put(_ pair: EtcdClient.Pair) -> Etcdserverpb_Event { .with { $0.kv = pair } }

    private func delete(_ pair: EtcdClient.Pair) -> Etcdserverpb_Event {
        .with {
            $0.type = .delete
            $0.kv.key = pair.key
        }
    }

    @Test("A list is replaced, and changed by events in their order")
    func events() {
        var servers = EtcdServers()
        #expect(servers.replace([server(2), server(1)], isComplete: true).isChanged)
        #expect(servers.endpoints.map(\.text) == ["10.0.0.1:1", "10.0.0.1:2"])
        #expect(!servers.replace([server(1), server(2)], isComplete: true).isChanged)
        #expect(servers.apply([delete(server(1)), put(server(3)), delete(server(3))]).isChanged)
        #expect(servers.endpoints.map(\.text) == ["10.0.0.1:2"])
        #expect(!servers.apply([put(server(2))]).isChanged)
        #expect(!servers.apply([delete(server(9))]).isChanged)
        #expect(servers.replace([], isComplete: true).isChanged)
        #expect(servers.endpoints.isEmpty)
    }

    @Test("A value that is no server is ignored, also in place of one")
    func garbage() {
        var servers = EtcdServers()
        let (_, faults) = servers.replace(
            [server(1), pair("s/x", "10.0.0.1:80"), pair("s/y", #"{"Addr":""}"#)], isComplete: true)
        #expect(
            faults == [
                EtcdServers.Fault(key: "s/x", reason: "is no JSON object with Addr and Metadata"),
                EtcdServers.Fault(key: "s/y", reason: "has no Addr"),
            ])
        #expect(servers.endpoints.map(\.text) == ["10.0.0.1:1"])
        var invalid = server(1)
        invalid.value = Data([0xff])
        let (isChanged, others) = servers.apply([put(invalid)])
        #expect(isChanged)
        #expect(others == [EtcdServers.Fault(key: "s/1", reason: "is not UTF-8")])
        #expect(servers.endpoints.isEmpty)
    }

    @Test("Keys beyond 10,000 are ignored until one is removed, which needs a new list")
    func limit() {
        var servers = EtcdServers()
        let all = (1...EtcdServers.maxKeys).map(server)
        #expect(servers.replace(all, isComplete: true).faults.isEmpty)
        let (isChanged, faults) = servers.apply([put(server(20_000)), put(server(20_001))])
        #expect(!isChanged)
        #expect(faults == [EtcdServers.Fault(key: "s/20000", reason: "is beyond 10000 keys")])
        #expect(!servers.needsListing)
        #expect(servers.apply([put(pair("s/5", #"{"Addr":"10.0.0.2:5"}"#))]).isChanged)
        #expect(servers.apply([delete(server(20_000)), delete(server(1))]).isChanged)
        #expect(servers.needsListing)
        #expect(servers.endpoints.count == 9_999)
        _ = servers.replace(all, isComplete: false)
        #expect(!servers.needsListing)
        #expect(servers.isFull)
    }

    @Test("A list that changes often is reported ten times a second")
    func pace() {
        func at(_ milliseconds: UInt64) -> MonotonicTime {
            MonotonicTime(nanoseconds: milliseconds * 1_000_000)
        }
        var pace = ReportPace()
        #expect(pace.changed(at: at(1000)) == .report)
        #expect(pace.changed(at: at(1030)) == .wait(.milliseconds(70)))
        #expect(pace.changed(at: at(1050)) == .nothing)
        pace.waited(at: at(1100))
        #expect(pace.changed(at: at(1120)) == .wait(.milliseconds(80)))
        pace.waited(at: at(1200))
        #expect(pace.changed(at: at(1300)) == .report)
    }
}
