// keyvalue serve CONFIG KEYS            serves until SIGTERM or Ctrl-C
// keyvalue put KEY VALUE [ADDRESS]      stores a value
// keyvalue append KEY TEXT [ADDRESS]    appends to a value
// keyvalue get KEY [ADDRESS]            prints a value
// keyvalue watch [ADDRESS]              prints each pair that is stored, until it is interrupted
//
// The environment variable KEYVALUE_KEY has the caller's key, KEYVALUE_CA the file of the authority
// that has signed the server's certificate.

import Logging
import RocketBase
import RocketRPC
import RocketSystem
import ServiceLifecycle
import SwiftProtobuf
import UnixSignals

let arguments = Array(CommandLine.arguments.dropFirst())

/// The client of the command, whose address may be the argument at `index`.
func client(addressAt index: Int) throws -> KeyValueClient {
    let environment = ProcessEnvironment.current
    let tls = environment["KEYVALUE_CA"].map { file in
        var tls = StubTLSConfig()
        tls.ca = file
        return tls
    }
    return try KeyValueClient(
        to: arguments.count > index ? arguments[index] : "127.0.0.1:12346",
        key: environment["KEYVALUE_KEY"], tls: tls)
}

do {
    switch (arguments.first, arguments.count) {
    case ("serve", 3):
        let server = try makeServer(RocketConfig(contentsOf: arguments[1]), keys: arguments[2])
        let ready = Task { print("keyvalue listens on", await server.boundAddresses) }
        let group = ServiceGroup(
            services: [server], gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "keyvalue"))
        try await group.run()
        await ready.value
    case ("put", 3...4):
        let request = Keyvalue_PutRequest.with {
            $0.key = arguments[1]
            $0.value = arguments[2]
        }
        print("version", try await client(addressAt: 3).store.put(request).version)
    case ("append", 3...4):
        let pair = try await client(addressAt: 3).append(arguments[2], to: arguments[1])
        print("version", pair.version)
    case ("get", 2...3):
        print(try await client(addressAt: 2).store.get(.with { $0.key = arguments[1] }).value)
    case ("watch", 1...2):
        // docs: follow
        let pairs = try await client(addressAt: 1).store.watch(.init())
        for try await pair in pairs {
            print("\(pair.key) = \(pair.value), version \(pair.version)")
        }
    // docs: end
    default:
        ProcessExit.end(
            "usage: keyvalue serve CONFIG KEYS | put KEY VALUE | append KEY TEXT | get KEY | watch",
            status: 64)
    }
} catch {
    ProcessExit.end("keyvalue: \(error)", status: 1)
}
