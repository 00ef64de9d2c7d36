import Foundation
import RocketBase
import RocketBaseTestKit
import RocketNames
import RocketRPC
import RocketTCP
import Testing

@testable import RocketEtcd

/// An etcd of Debian's package, on Unix sockets in a folder of its own, until it is killed.
private final class RealEtcd {
    static let program = "/usr/bin/etcd"
    private let folder: TemporaryFolder
    private var process: RunningProgram?

    init() throws {
        folder = try TemporaryFolder()
        try start()
    }

    /// Where it is; the port is a part of the socket's name.
    var endpoints: String { "unix:\(folder.path)/client:1" }

    func start() throws {
        // What a killed one has left.
        for name in ["client:1", "peer:1"] {
            try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        }
        // etcd takes a unix URL for a path below its working folder.
        process = try RunningProgram([
            "/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder.path,
            Self.program, "--name", "one", "--data-dir", "data", "--unsafe-no-fsync",
            "--listen-client-urls", "unix://client:1", "--advertise-client-urls",
            "unix://client:1", "--listen-peer-urls", "unix://peer:1",
            "--initial-advertise-peer-urls", "unix://peer:1", "--initial-cluster",
            "one=unix://peer:1",
        ])
    }

    func kill() {
        process?.send(SIGKILL)
        process?.wait()
        process = nil
    }
}

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: RealEtcd.program)))
struct RealEtcdTests {
    private static let name = "etcd:///rocket/orders"

    private func register(
        _ address: String, _ configuration: EtcdConfiguration
    ) throws -> any RPCRegistration {
        try EtcdRegistrar(configuration).register(
            RPCEndpoint([NetAddress(parsing: address)]), as: RPCTarget(Self.name),
            logger: .disabled)
    }

    @Test("Servers are announced, found and withdrawn; etcd may be killed meanwhile")
    func life() async throws {
        let etcd = try RealEtcd()
        defer { etcd.kill() }
        var configuration = EtcdConfiguration.test
        configuration.endpoints = etcd.endpoints
        try await resolving(Self.name, by: EtcdResolver(configuration)) { resolving in
            let first = try register("10.0.0.1:80", configuration)
            await resolving.addresses("10.0.0.1:80")
            let second = try register("10.0.0.2:80", configuration)
            await resolving.addresses("10.0.0.1:80", "10.0.0.2:80")
            etcd.kill()
            _ = await resolving.failure()
            try etcd.start()
            let third = try register("10.0.0.3:80", configuration)
            await resolving.addresses("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
            try await first.withdraw()
            await resolving.addresses("10.0.0.2:80", "10.0.0.3:80")
            try await second.withdraw()
            try await third.withdraw()
            await resolving.addresses()
        }
    }

    @Test("A lease that is revoked by another one is replaced, and a wrong one is told")
    func leases() async throws {
        let etcd = try RealEtcd()
        defer { etcd.kill() }
        var configuration = EtcdConfiguration.test
        configuration.endpoints = etcd.endpoints
        configuration.leaseTime = .seconds(2)
        let client = try EtcdClient(
            configuration, authority: "", loop: nil, logger: .disabled)
        try await resolving(Self.name, by: EtcdResolver(configuration)) { resolving in
            let registration = try register("10.0.0.1:80", configuration)
            await resolving.addresses("10.0.0.1:80")
            let keys = try EtcdKeys(RPCTarget(Self.name))
            let pair = try #require(try await client.list(keys, limit: 10).pairs.first)
            try await client.revoke(pair.lease)
            await resolving.addresses()
            await resolving.addresses("10.0.0.1:80")
            try await registration.withdraw()
            await resolving.addresses()
            // Ended already.
            try await client.revoke(pair.lease)
            #expect(try await !client.put("rocket/x", "{}", lease: pair.lease))
            // Nobody keeps it alive, as after the end of a process.
            let lease = try await client.grant(seconds: 2)
            let json = try Announcement(of: RPCEndpoint([.loopback(port: 80)])).json
            #expect(try await client.put(keys.key(of: "x"), json, lease: lease))
            await resolving.addresses("127.0.0.1:80")
            await resolving.addresses()
        }
        client.channel.close()
    }
}
