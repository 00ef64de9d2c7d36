import RocketHTTP2
import RocketSystem

/// Drives a client's and a server's session by arbitrary bytes: what is submitted, in which parts it
/// arrives, what is changed on the way, and frames that neither has sent. Run by libFuzzer (Fuzz/) and
/// by tests.
///
/// Each byte is an operation in its low 4 bits, with a number in the others; see `Operation`.
public enum HTTP2Fuzz {
    /// A violation of what sessions promise.
    public struct Finding: Error, CustomStringConvertible {
        /// What was violated.
        public let description: String
    }

    private enum Operation: UInt8 {
        /// Submits a request with a body of 1 to 16 times 1,000 bytes, and with an odd number trailers.
        case request
        /// The server answers its last open stream by its number.
        case respond
        /// A side resets a stream.
        case clientResets, serverResets
        /// Returns the credit for what was received.
        case consume
        /// Delivers 1 to 16 bytes of what is on its way.
        case toServer, toClient
        /// Delivers everything.
        case both
        /// Changes a byte on its way to the server, by the next byte of the input.
        case change
        /// A frame for the server, or the client: type, flags, stream, length and payload are the next
        /// bytes of the input.
        case frameForServer, frameForClient
        /// The next bytes of the input for the server.
        case inject
        case ping
        /// The server's drain: the notice, then the last stream; with a high number an error.
        case goAway
        /// The time passes.
        case wait
        /// Bodies that wait go on.
        case resume
    }

    /// Runs the operations once, on the calling thread.
    public static func run(_ bytes: [UInt8]) throws {
        let pool = HTTP2MemoryPool()
        do {
            let pair = try FuzzPair(memory: pool)
            try run(bytes[...], on: pair)
        }
        if pool.usedBytes != 0 { throw Finding(description: "\(pool.usedBytes) bytes are lost") }
    }

    private static func run(_ bytes: ArraySlice<UInt8>, on pair: FuzzPair) throws {
        var rest = bytes
        while let byte = rest.popFirst() {
            let number = Int(byte >> 4)
            let (client, server) = (pair.client, pair.server)
            switch Operation(rawValue: byte & 15) {
            case .request: client.request(body: (number + 1) * 1_000, trailers: number % 2 == 1)
            case .respond: server.respond(number)
            case .clientResets: client.reset(number)
            case .serverResets: server.reset(number)
            case .consume: (number % 2 == 0 ? client : server).consume()
            case .toServer: try pair.deliver(number == 15 ? .max : number + 1, toServer: true)
            case .toClient: try pair.deliver(number == 15 ? .max : number + 1, toServer: false)
            case .both: try pair.deliverAll()
            case .change: pair.change(at: number, by: rest.popFirst() ?? 1)
            case .frameForServer, .frameForClient:
                let header = Array(rest.prefix(4))
                rest = rest.dropFirst(4)
                if header.count < 4 { break }
                let payload = Array(rest.prefix(Int(header[3])))
                rest = rest.dropFirst(payload.count)
                let frame = RawFrame(
                    type: header[0], flags: header[1], stream: UInt32(header[2]), payload: payload)
                pair.inject(frame.bytes, toServer: byte & 15 == 9)
            case .inject:
                pair.inject(Array(rest.prefix(number + 1)), toServer: true)
                rest = rest.dropFirst(number + 1)
            case .ping: (number % 2 == 0 ? client : server).session.ping(UInt64(number))
            case .goAway: server.goAway(number)
            case .wait: pair.wait(number)
            case .resume, nil: (number % 2 == 0 ? client : server).resume()
            }
        }
        if !pair.isChanged { try pair.finish() }
        try pair.check()
    }
}

private final class FuzzPair {
    let client, server: FuzzSide
    /// Bytes on their way are not those that were sent.
    private(set) var isChanged = false

    init(memory: HTTP2MemoryPool) throws {
        client = try FuzzSide(.client, memory)
        server = try FuzzSide(.server, memory)
    }

    func deliver(_ most: Int, toServer: Bool) throws {
        let (from, to) = toServer ? (client, server) : (server, client)
        try from.collect(isChanged)
        let part = Array(from.output.prefix(most))
        if part.isEmpty { return }
        from.output.removeFirst(part.count)
        try to.receive(part, isChanged)
    }

    func deliverAll() throws {
        repeat {
            try deliver(.max, toServer: true)
            try deliver(.max, toServer: false)
        } while client.hasOutput || server.hasOutput
    }

    func change(at position: Int, by mask: UInt8) {
        if position >= client.output.count || mask == 0 { return }
        client.output[position] ^= mask
        isChanged = true
    }

    func inject(_ bytes: [UInt8], toServer: Bool) {
        if bytes.isEmpty { return }
        isChanged = true
        if toServer { client.output += bytes } else { server.output += bytes }
    }

    func wait(_ number: Int) {
        for side in [client, server] {
            side.session.now = side.session.now + .milliseconds(number * 50)
        }
    }

    /// Everything that was sent arrives, when nothing was changed.
    func finish() throws {
        try deliverAll()
        for _ in 0..<200 {
            client.consume()
            server.consume()
            client.resume()
            server.resume()
            try deliverAll()
        }
        for (id, body) in client.sent where server.hasEnded(id) {
            let arrived = server.received[id] ?? []
            if arrived != body {
                throw HTTP2Fuzz.Finding(
                    description: "of stream \(id) \(arrived.count) of \(body.count) bytes arrived")
            }
        }
    }

    func check() throws {
        for side in [client, server] { try side.check() }
    }
}
