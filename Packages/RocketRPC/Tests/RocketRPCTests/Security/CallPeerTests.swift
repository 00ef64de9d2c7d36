import RocketBase
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite("The peer of a call")
struct CallPeerTests {
    let process = PeerIdentity.unix(PeerCredentials(processID: 7, userID: 1000, groupID: 100))
    let kit = FrameKit()

    @Test("A handler reads the identity of its connection", arguments: ["sync", "async"])
    func handlers(method: String) throws {
        for (identity, text) in [(PeerIdentity.none, "none"), (process, "uid=1000 gid=100 pid=7")] {
            try ServerScene.with([WhoService()], identity: identity) { _, clients in
                try clients[0].call("test.Who.\(method)", id: "1")
                #expect(
                    try clients[0].answers().map(\.payload) == [
                        kit.text("127.0.0.1:2 \(text) no token")
                    ])
            }
        }
    }

    @Test("On a channel the peer is the server, once the request has been sent")
    func channel() throws {
        let channel = try DrivenChannel()
        let controller = RPCController()
        let call = channel.start { $0.outgoing.controller = controller }
        #expect(controller.peer == nil)
        channel.last.peerIdentity = process
        channel.last.connect()
        #expect(
            controller.peer == RPCPeer(address: .loopback(port: 2), identity: process))
        #expect(controller.peer?.isAuthenticated == true)
        channel.last.reply(to: call.idText)
    }

    @Test(
        "A connection's identity is asked for once, and calls with a token are of that connection")
    func connection() {
        let peers = ConnectionPeers(
            local: .loopback(port: 1), peer: .loopback(port: 2), identity: process)
        let named = peers.with(RPCToken(subject: "a"))
        #expect(
            named.id == peers.id && named.identity == process && named.peerText == peers.peerText)
        #expect(RPCPeer(peers).token == nil && RPCPeer(named).token?.subject == "a")
    }

    @Test("A server without an authenticator ignores tokens")
    func ignoredToken() throws {
        try ServerScene.with([WhoService()]) { _, clients in
            try clients[0].call(
                "test.Who.sync", id: "1", info: "rkm1\nauthorization=Bearer%20bad\n")
            let answer = try #require(try clients[0].answers().first)
            #expect(answer.payload == (try kit.text("127.0.0.1:2 none no token")))
            #expect(clients[0].connection.access == nil)
        }
    }
}
