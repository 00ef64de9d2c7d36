import RocketBase
import RocketCodec
import RocketReactor
import RocketTCP

/// One connection to a chat server: texts in, texts out. Bound to its loop.
final class ChatLink: TCPConnectionHandler {
    /// What it tells.
    enum Event {
        case connected(NetAddress)
        case connectFailed(ConnectError)
        case message([UInt8])
        /// More may be sent than could be before.
        case hasRoom
        case ended(CloseReason)
    }

    /// Servers may be configured for more than the default's 64 KiB.
    static let codec = LengthFieldCodec(maxPayloadBytes: 32 << 20)

    private let tell: (Event) -> Void
    private var connection: TCPConnection?

    /// - Parameter tell: hears of everything, on the loop, never inside `connect` or `send`.
    init(_ tell: @escaping (Event) -> Void) { self.tell = tell }

    /// Begins to connect to the first of the addresses that answers.
    func connect(to addresses: [NetAddress], within timeout: Duration, on reactor: Reactor) {
        var configuration = TCPConnectionConfiguration()
        configuration.inputLimitBytes = Self.codec.maxPayloadBytes + (1 << 20)
        TCPClient.connect(
            to: addresses, on: reactor, timeout: timeout, configuration: configuration,
            handler: self
        ) { [tell] in if case .failure(let error) = $0 { tell(.connectFailed(error)) } }
    }

    /// False while too much waits to be sent.
    var hasRoom: Bool { connection?.isWritable ?? false }

    /// Queues one text.
    func send(_ text: [UInt8]) {
        connection?.write { output in
            output.append(bigEndian: UInt32(truncatingIfNeeded: text.count))
            output.append(text)
        }
    }

    /// Sends what waits, then the end of our stream; texts still come.
    func finishSending() { connection?.finishWriting() }

    /// Ends it at once.
    func close() { connection?.close(.now) }

    // MARK: TCPConnectionHandler

    func connected(_ connection: TCPConnection) {
        self.connection = connection
        tell(.connected(connection.peerAddress))
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        var texts: [[UInt8]] = []
        var offset = 0
        var broken: FrameError?
        input.withBytes { bytes in
            do throws(FrameError) {
                while case .frame(let text, let size) =
                    try Self.codec.step(bytes.extracting(offset...))
                {
                    let range = (offset + text.lowerBound)..<(offset + text.upperBound)
                    texts.append(bytes.extracting(range).withUnsafeBytes { Array($0) })
                    offset += size
                }
            } catch { broken = error }
        }
        input.consume(offset)
        for text in texts { tell(.message(text)) }
        if let broken { connection.close(.now, reason: .rejected(broken.description)) }
    }

    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        if isWritable { tell(.hasRoom) }
    }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        self.connection = nil
        tell(.ended(reason))
    }
}
