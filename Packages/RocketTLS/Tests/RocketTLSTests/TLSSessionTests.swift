import RocketBase
import RocketTLS
import RocketTLSTestKit
import Testing

@Suite struct TLSSessionTests {
    let authority: Authority
    init() throws { authority = try Authority() }

    private func text(_ buffer: borrowing ByteBuffer) -> String {
        String(decoding: buffer.copyBytes(), as: UTF8.self)
    }

    @Test("Both sides prove and encrypt; nothing of the plaintext is on the wire")
    func exchanges() throws {
        let pair = try SessionPair(authority.client(), authority.server())
        #expect(pair.client.phase == .handshake)
        try pair.exchange()
        #expect(pair.client.phase == .open && pair.server.phase == .open)
        #expect(pair.client.version == "TLSv1.3")
        #expect(pair.client.negotiatedProtocol == "rocket/1")
        #expect(pair.server.negotiatedProtocol == "rocket/1")
        #expect(pair.client.peerCertificate?.dnsNames == ["localhost"])
        #expect(pair.client.peerCertificate?.subject == "CN=server")
        #expect(pair.server.peerCertificate == nil)
        try pair.clientSends("a request in plain text")
        #expect(!text(pair.toServer).contains("request"))
        try pair.serverSends("a reply")
        try pair.exchange()
        #expect(text(pair.atServer) == "a request in plain text")
        #expect(text(pair.atClient) == "a reply")
    }

    @Test("A handshake and data that arrive byte by byte go the same way")
    func byteByByte() throws {
        let pair = try SessionPair(authority.client(), authority.server())
        try pair.exchange(most: 1)
        try pair.clientSends(String(repeating: "x", count: 40_000))
        try pair.exchange(most: 1)
        #expect(pair.atServer.readableBytes == 40_000)
    }

    @Test("Many bytes are encrypted in records of 16 KiB, and decrypted in one call")
    func manyBytes() throws {
        let pair = try SessionPair(authority.client(), authority.server())
        try pair.exchange()
        try pair.clientSends(String(repeating: "y", count: 1 << 20))
        // 64 records with 22 bytes each around their content.
        #expect(pair.toServer.readableBytes == (1 << 20) + 64 * 22)
        try pair.exchange()
        #expect(pair.atServer.readableBytes == 1 << 20)
    }

    @Test("An end is told apart from a connection that is cut")
    func ends() throws {
        let pair = try SessionPair(authority.client(), authority.server())
        try pair.exchange()
        try pair.clientSends("last")
        pair.client.finish(output: &pair.toServer)
        try pair.exchange()
        #expect(text(pair.atServer) == "last")
        #expect(pair.server.phase == .inputEnded)
        #expect(pair.client.phase == .open)
        try pair.serverSends("answer")
        try pair.exchange()
        #expect(text(pair.atClient) == "answer")
    }

    @Test("What follows an end is dropped")
    func dropsAfterTheEnd() throws {
        let pair = try SessionPair(authority.client(), authority.server())
        try pair.exchange()
        pair.client.finish(output: &pair.toServer)
        pair.toServer.append(utf8: "garbage")
        for text in ["", "more garbage"] {
            pair.toServer.append(utf8: text)
            try pair.server.receive(
                &pair.toServer, plaintext: &pair.atServer, output: &pair.toClient)
            #expect(pair.server.phase == .inputEnded)
            #expect(pair.toServer.readableBytes == 0)
            #expect(pair.atServer.readableBytes == 0)
        }
    }

    @Test("A flipped bit of a record is an error of the stream")
    func flipped() throws {
        let pair = try SessionPair(authority.client(), authority.server())
        try pair.exchange()
        try pair.clientSends("payload")
        var bytes = pair.toServer.copyBytes()
        bytes[bytes.count - 3] ^= 1
        pair.toServer.removeAll()
        pair.toServer.append(bytes)
        let error = #expect(throws: TransportSecurityError.self) { try pair.exchange() }
        #expect(error?.kind == .stream)
        #expect(pair.atServer.readableBytes == 0)
    }

    @Test(
        "Plaintext, garbage and old versions are errors of the handshake",
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [2, 0, 0, 0, 64] + Array("rocket".utf8),
            Array(repeating: 0x7A, count: 200), [22, 3, 1, 255, 255, 1],
        ])
    func garbage(bytes: [UInt8]) throws {
        let server = try TLSSession(acceptingBy: authority.server())
        var input = ByteBuffer()
        input.append(bytes)
        var plaintext = ByteBuffer()
        var output = ByteBuffer()
        let error = #expect(throws: TransportSecurityError.self) {
            try server.receive(&input, plaintext: &plaintext, output: &output)
        }
        #expect(error?.kind == .handshake)
        if bytes[0] == 2 {
            #expect(
                error?.text
                    == "what the peer sends is not TLS; it may speak plaintext "
                    + "(wrong version number)")
        }
        #expect(plaintext.readableBytes == 0)
    }

    @Test("A client that offers other protocols only is refused")
    func protocols() throws {
        let pair = try SessionPair(authority.client { $0.protocols = ["h3"] }, authority.server())
        let error = #expect(throws: TransportSecurityError.self) { try pair.exchange() }
        #expect(
            error?.text == "the peer offers no protocol of ours by ALPN (no application protocol)")
        let none = try SessionPair(authority.client { $0.protocols = [] }, authority.server())
        try none.exchange()
        #expect(none.server.negotiatedProtocol == nil)
    }

    @Test("Sessions are resumed by tickets, whose keys survive a new context and two rotations")
    func resumes() throws {
        let keys = try TLSTicketKeys()
        let client = try authority.client()
        func ticket(_ old: TLSTicket?, isResumed: Bool) throws -> TLSTicket {
            let pair = try SessionPair(client, authority.server(tickets: keys), resuming: old)
            try pair.exchange()
            #expect(pair.client.isResumed == isResumed)
            #expect(pair.server.isResumed == isResumed)
            #expect(pair.server.phase == .open)
            let ticket = pair.client.ticket
            return try #require(ticket)
        }
        var last = try ticket(nil, isResumed: false)
        for _ in 0..<3 { last = try ticket(last, isResumed: true) }
        let old = last
        try keys.rotate()
        try keys.rotate()
        last = try ticket(old, isResumed: true)
        try keys.rotate()
        _ = try ticket(old, isResumed: false)
        _ = try ticket(last, isResumed: true)
    }

    @Test("Without keys a server issues no tickets")
    func noTickets() throws {
        let pair = try SessionPair(authority.client(), authority.server())
        try pair.exchange()
        let ticket = pair.client.ticket
        #expect(ticket == nil)
    }

    @Test(
        "A first flight with any one byte changed ends in an error or goes on, and proves nothing")
    func changedFlights() throws {
        let (client, server) = (try authority.client(), try authority.server())
        let hello = try SessionPair(client, server).toServer.copyBytes()
        var errors = 0
        for position in hello.indices {
            var changed = hello
            changed[position] ^= 0x41
            var input = ByteBuffer()
            input.append(changed)
            let session = try TLSSession(acceptingBy: server)
            var plaintext = ByteBuffer()
            var output = ByteBuffer()
            do throws(TransportSecurityError) {
                try session.receive(&input, plaintext: &plaintext, output: &output)
            } catch {
                #expect(error.kind == .handshake)
                errors += 1
            }
            #expect(session.phase == .handshake)
            #expect(plaintext.readableBytes == 0)
        }
        #expect(errors > 50)
    }

    @Test("An answer of a server with any one byte changed is never taken for the server's")
    func changedAnswers() throws {
        let (client, server) = (try authority.client(), try authority.server())
        for offset in stride(from: 5, to: 1500, by: 7) {
            let pair = try SessionPair(client, server)
            var input = ByteBuffer()
            input.append(pair.toServer.copyBytes())
            var plaintext = ByteBuffer()
            try pair.server.receive(&input, plaintext: &plaintext, output: &pair.toClient)
            var answer = pair.toClient.copyBytes()
            // The header of a record in the middle is not protected: it only says where that ends.
            guard offset < answer.count else { break }
            answer[offset] ^= 0x80
            input.removeAll()
            input.append(answer)
            do throws(TransportSecurityError) {
                try pair.client.receive(&input, plaintext: &plaintext, output: &pair.toServer)
            } catch { #expect(error.kind == .handshake || error.kind == .certificate) }
            #expect(pair.client.phase == .handshake)
        }
    }

    @Test("Thousands of small records are decrypted, and answered by nothing")
    func manyRecords() throws {
        let pair = try SessionPair(authority.client(), authority.server())
        try pair.exchange()
        for number in 0..<5_000 {
            try pair.clientSends("\(number % 10)")
            try pair.exchange()
        }
        #expect(pair.atServer.readableBytes == 5_000)
        #expect(pair.toClient.readableBytes == 0)
    }
}
