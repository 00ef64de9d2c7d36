import RocketBase
import RocketCodec
import RocketTCP

/// One connection to a chat server: texts in, texts out. Bound to its loop.
final class ChatLink: TCPConnectionHandler {
    /// Servers may be configured for more than the default's 64 KiB.
    static let codec = LengthFieldCodec(maxPayloadBytes: 32 << 20)
    /// One whole message, and what comes with it in a read.
    static let inputLimitBytes = codec.maxPayloadBytes + (1 << 20)

    private let receive: ([UInt8]) -> Void
    private let roomAgain: () -> Void

    /// - Parameters:
    ///   - receive: gets each text that arrives.
    ///   - roomAgain: more may be sent than could be before.
    init(receive: @escaping ([UInt8]) -> Void, roomAgain: @escaping () -> Void) {
        self.receive = receive
        self.roomAgain = roomAgain
    }

    /// Queues one text.
    static func send(_ text: [UInt8], on connection: TCPConnection) {
        connection.write { output in
            output.append(bigEndian: UInt32(truncatingIfNeeded: text.count))
            output.append(text)
        }
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
        for text in texts { receive(text) }
        if let broken { connection.close(.now, reason: .rejected(broken.description)) }
    }

    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        if isWritable { roomAgain() }
    }
}
