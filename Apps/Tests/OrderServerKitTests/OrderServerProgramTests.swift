import RocketBase
import RocketProgram
import Testing

@testable import OrderServerKit

/// What order_server reports of a configuration or a store that it can't start with.
@Suite("Starts of order_server that fail")
struct OrderServerProgramTests {
    private func check(_ change: (inout RocketConfig) -> Void = { _ in }) throws(ProgramFailure) {
        var config = RocketConfig()
        change(&config)
        try OrderServerProgram(file: "rocket.xml", config: config).check()
    }

    @Test("The check accepts the defaults, and limits of the service's methods")
    func valid() throws {
        try check()
        try check { $0.server.methodLimits = [MethodLimitConfig(method: "Order.makeOrder")] }
        try check { $0.server.methodLimits = [MethodLimitConfig(method: "rocket.Health.check")] }
    }

    @Test("The check refuses limits of methods that are not served, with the status 78")
    func unknownMethods() {
        for method in ["Order.none", "rocket.Reflection.listServices"] {
            let failure = #expect(throws: ProgramFailure.self) {
                try check { $0.server.methodLimits = [MethodLimitConfig(method: method)] }
            }
            #expect(failure?.status == .configuration)
            #expect(failure?.description.hasPrefix("rocket.xml: ") == true)
            #expect(failure?.description.contains("'\(method)'") == true)
        }
    }

    @Test("The check without files goes past TLS")
    func security() throws {
        try check { $0.server.tls = ServerTLSConfig(certificate: "none.crt", key: "none.key") }
    }

    @Test("An address that is none is refused with the status 78")
    func address() {
        let failure = #expect(throws: ProgramFailure.self) {
            try check { $0.server.listen = ["no address"] }
        }
        #expect(failure?.status == .configuration)
    }
}
