// greeter serve [CONFIG]          serves until SIGTERM or Ctrl-C
// greeter hello NAME [ADDRESS]    prints the greeting

import Logging
import RocketBase
import RocketRPC
import RocketSystem
import ServiceLifecycle
import UnixSignals

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case ("serve", 1...2):
        // docs: main
        let config =
            try arguments.count == 2 ? RocketConfig(contentsOf: arguments[1]) : RocketConfig()
        let server = try makeServer(config)
        let ready = Task { print("greeter listens on", await server.boundAddresses) }
        let group = ServiceGroup(
            services: [server], gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "greeter"))
        try await group.run()
        // docs: end
        await ready.value
    case ("hello", 2...3):
        print(
            try await greet(
                arguments[1], at: arguments.count == 3 ? arguments[2] : "127.0.0.1:12345"))
    default:
        ProcessExit.end(
            "usage: greeter serve [CONFIG] | hello NAME [ADDRESS]",
            status: 64)
    }
} catch {
    ProcessExit.end("greeter: \(error)", status: 1)
}
