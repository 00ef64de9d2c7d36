import RocketBase
import RocketRPC
import RocketTCP
import Testing

@testable import RocketProgram

@Suite("Server that a command calls")
struct ServerTargetTests {
    @Test(
        "Accepts IP addresses, names, Unix sockets and their paths",
        arguments: [
            "127.0.0.1:12345", "[::1]:80", "localhost:1", "unix:/run/o", "unix:@o", "/run/o.sock",
        ])
    func addresses(text: String) throws {
        #expect(try ServerTarget(address: text).description == text)
    }

    @Test(
        "Refuses other texts as wrong usage",
        arguments: [
            "order", "127.0.0.1:", "127.0.0.1:99999", ":80", "::1:80", "[::1:80", "a b:80",
            "unix:", "/" + String(repeating: "x", count: 200),
        ])
    func unknown(text: String) {
        let failure = #expect(throws: ProgramFailure.self) { try ServerTarget(address: text) }
        #expect(failure?.status == .usage)
        #expect(failure?.description.contains("\n") == false)
    }

    @Test("The server of a stub has its name, addresses and settings")
    func stub() throws {
        var stub = StubConfig()
        stub.name = "order"
        stub.port = 12345
        stub.timeout = .seconds(7)
        let target = try ServerTarget(stub)
        #expect(target.description == "order (127.0.0.1:12345)")
        #expect(target.configuration.timeout == .seconds(7))
    }
}
