import RocketTCP
import Testing

@testable import ChatClientKit

@Suite struct ChatClientCommandTests {
    @Test(
        "A host is an address of IPv4, IPv6 or a Unix socket, or a name",
        arguments: [
            (["127.0.0.1", "9999"], "127.0.0.1:9999"),
            (["::1", "9999"], "[::1]:9999"),
            (["unix:/run/chat_server.sock"], "unix:/run/chat_server.sock"),
            (["chat.example.org"], nil),
        ])
    func hosts(arguments: [String], address: String?) throws {
        let command = try ChatClientCommand.parse(arguments)
        #expect(command.address?.description == address)
    }
}
