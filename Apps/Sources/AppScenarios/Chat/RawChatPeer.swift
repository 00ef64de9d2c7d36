import RocketBase
import RocketReactor
import RocketSimulation
import RocketSystem
import RocketTCP

/// A client that behaves badly: reads slowly or not at all, sends messages in parts, and resets its
/// connection. Connects once. Bound to the loop of its host.
final class RawChatPeer: ChatPeer, TCPConnectionHandler {
    private enum Reading { case always, sometimes, never }

    private let user: ChatUser
    private let beganAt: Duration
    private var reading: Reading
    private var operation: ConnectOperation?
    private var connection: TCPConnection?
    /// The connection's number in the history.
    private var id = 0
    /// The rest of a message that was sent in part.
    private var unsent: (bytes: ArraySlice<UInt8>, text: [UInt8], fate: ChatRecords.Fate)?
    private(set) var hasEnded = false

    init(_ user: ChatUser, on reactor: Reactor, using random: inout SeededGenerator) {
        self.user = user
        beganAt = user.host.world.elapsed
        reading = random.chance(0.4) ? .always : random.chance(0.5) ? .sometimes : .never
        operation = TCPClient.connect(
            to: [user.server], on: reactor, timeout: .seconds(5), handler: self
        ) { [weak self] result in
            self?.operation = nil
            if case .failure = result { self?.hasEnded = true }
        }
    }

    // MARK: ChatPeer

    func act(isBusy: Bool, using random: inout SeededGenerator) {
        guard let connection else { return }
        if !isBusy { reading = .always }
        // A message takes some ticks on its way, so a pause begins in the midst of what arrives.
        let reads = reading == .always || reading == .sometimes && random.chance(0.5)
        if reads { connection.resumeReading() } else { connection.pauseReading() }
        if isBusy, random.chance(0.01) { reading = random.chance(0.5) ? .sometimes : .never }
        if reading != .always { user.history.readsSlowly(id) }
        if !isBusy || random.chance(0.5) { send(isBusy: isBusy, using: &random) }
    }

    private func send(isBusy: Bool, using random: inout SeededGenerator) {
        guard let connection, connection.isWritable else { return }
        if let (bytes, text, fate) = unsent.take() {
            connection.write { $0.append(Array(bytes)) }
            return user.history.sent(id, text, fate)
        }
        let line = ChatLine(isBusy: isBusy, maxBytes: user.maxMessageBytes, using: &random)
        let text = user.history.text(id, paddingBytes: line.paddingBytes, line.fate)
        var bytes = ByteBuffer()
        bytes.append(bigEndian: UInt32(text.count))
        bytes.append(text)
        let whole = bytes.copyBytes()
        if isBusy, random.chance(0.1) {
            let count = Int.random(in: 1..<whole.count, using: &random)
            connection.write { $0.append(Array(whole[..<count])) }
            unsent = (whole[count...], text, line.fate)
        } else {
            connection.write { $0.append(whole) }
            user.history.sent(id, text, line.fate)
        }
    }

    func stop(using random: inout SeededGenerator) {
        operation?.cancel()
        guard let connection else { return }
        user.history.left(id)
        switch Int.random(in: 0...3, using: &random) {
        case 0: connection.close(.reset)
        case 1: connection.close(.now)
        default: connection.close(.afterFlush)
        }
    }

    // MARK: TCPConnectionHandler

    func connected(_ connection: TCPConnection) {
        self.connection = connection
        id = user.history.up(user, since: beganAt, readsAlways: reading == .always)
        if reading != .always { connection.pauseReading() }
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        let bytes = input.copyBytes()
        var offset = 0
        while bytes.count - offset >= 4 {
            let end = offset + 4 + Int(input.integer(at: offset, as: UInt32.self))
            if bytes.count < end { break }
            user.history.received(Array(bytes[(offset + 4)..<end]), on: id)
            offset = end
        }
        input.consume(offset)
    }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        user.history.ended(id)
        self.connection = nil
        hasEnded = true
    }
}
