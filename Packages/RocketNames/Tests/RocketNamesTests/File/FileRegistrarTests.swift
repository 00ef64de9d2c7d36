import RocketBase
import RocketRPC
import RocketTCP
import Testing

@testable import RocketNames

@Suite struct FileRegistrarTests {
    private func server(_ address: String) throws -> RPCEndpoint {
        RPCEndpoint([try NetAddress(parsing: address)])
    }

    @Test("Servers that are announced at one time are all in the file, and other lines stay")
    func many() async throws {
        let folder = try TemporaryFolder()
        try folder.write("# Ours.\n10.0.0.9:80\n10.0.0.2:80 weight=7\n", to: "servers")
        let target = try RPCTarget("file:\(folder.path)/servers")
        var registrations: [any RPCRegistration] = []
        for number in 1...8 {
            registrations.append(
                try FileRegistrar().register(
                    server("10.0.0.\(number):80"), as: target, logger: .disabled))
        }
        for registration in registrations { await registration.announced() }
        #expect(registrations.filter { !$0.isAnnounced }.isEmpty)
        let lines = folder.text("servers").split(separator: "\n")
        #expect(lines.first == "# Ours.")
        #expect(
            lines.dropFirst().sorted()
                == (1...9).map { "10.0.0.\($0):80" })
        for registration in registrations { try await registration.withdraw() }
        #expect(folder.text("servers") == "# Ours.\n10.0.0.9:80\n")
        #expect(registrations.filter { $0.isAnnounced }.isEmpty)
        // Again: the same outcome.
        try await registrations[0].withdraw()
    }

    @Test("A server that can't be announced is withdrawn with an error")
    func folderMissing() async throws {
        let folder = try TemporaryFolder()
        let registration = try FileRegistrar().register(
            server("10.0.0.1:80"), as: RPCTarget("file:\(folder.path)/missing/servers"),
            logger: .disabled)
        #expect(!registration.isAnnounced)
        await #expect(throws: RPCError.self) { try await registration.withdraw() }
        await registration.announced()
    }

    @Test("A resolver finds what a registrar announces")
    func both() async throws {
        let folder = try TemporaryFolder()
        let name = "file:\(folder.path)/servers"
        try await resolving(name, by: FileResolver()) { resolving in
            var one = try server("10.0.0.1:80")
            one.zone = "a b"
            let first = try FileRegistrar().register(
                one, as: RPCTarget(name), logger: .disabled)
            let found = await resolving.list()
            #expect(found == [one])
            let second = try FileRegistrar().register(
                server("10.0.0.2:80"), as: RPCTarget(name), logger: .disabled)
            await resolving.addresses("10.0.0.1:80", "10.0.0.2:80")
            try await first.withdraw()
            await resolving.addresses("10.0.0.2:80")
            try await second.withdraw()
            #expect(await resolving.list().isEmpty)
        }
    }
}
