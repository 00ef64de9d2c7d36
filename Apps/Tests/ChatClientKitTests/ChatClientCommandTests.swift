import RocketTCP
import Testing

@testable import ChatClientKit

@Suite struct ChatClientCommandTests {
    @Test(
        "A host is an address of IPv4, IPv6 or a Unix socket, or a name",
        arguments: [
            ("127.0.0.1", "127.0.0.1:9999"),
            ("::1", "[::1]:9999"),
            ("unix:/run/chat_server.sock", "unix:/run/chat_server.sock"),
            ("chat.example.org", nil),
        ])
    func hosts(host: String, address: String?) {
        var command = ChatClientCommand()
        command.host = host
        command.port = 9999
        #expect(command.address?.description == address)
    }
}
