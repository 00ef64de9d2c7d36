import ChatClientKit
import RocketReactor
import RocketSimulation
import RocketSystem
import RocketTCP

/// The chat client of the product, without its terminal: connects again whenever its connection is
/// lost. Bound to the loop of its host.
final class RealChatPeer: ChatPeer, ChatView {
    private let user: ChatUser
    private var controller: ChatClientController?
    /// The present connection's number in the history.
    private var connection: Int?
    /// When the present attempt to connect began, at the earliest.
    private var beganAt: Duration
    /// Lines of a file that are left.
    private var fileLines = 0
    private var hasSentFile: Bool
    private(set) var hasEnded = false

    init(_ user: ChatUser, on reactor: Reactor, using random: inout SeededGenerator) {
        self.user = user
        beganAt = user.host.world.elapsed
        hasSentFile = user.fileAt.map { $0 < user.host.world.elapsed } ?? true
        let settings = ChatClientController.Settings(
            target: .addresses([user.server]),
            connectTimeout: random.duration(in: .milliseconds(500)...(.seconds(5))),
            reconnects: true, maxMessageBytes: 16 << 20)
        controller = ChatClientController(settings, view: self, on: reactor) { [weak self] _ in
            self?.ended()
        }
        controller?.onReady = { [weak self] in self?.sendFile() }
        controller?.start()
    }

    func act(isBusy: Bool, using random: inout SeededGenerator) {
        if !hasSentFile, let fileAt = user.fileAt, fileAt <= user.host.world.elapsed {
            hasSentFile = true
            fileLines = Int.random(in: 5...30, using: &random)
        }
        if fileLines > 0 { return sendFile() }
        let isBurst = isBusy && random.chance(0.1)
        if isBusy, !isBurst, random.chance(0.3) { return }
        for _ in 0..<(isBurst ? Int.random(in: 2...20, using: &random) : 1) {
            let line = ChatLine(isBusy: isBusy, maxBytes: user.maxMessageBytes, using: &random)
            if !send(line) { return }
        }
    }

    /// - Returns: false when the client accepts no line.
    private func send(_ line: ChatLine) -> Bool {
        guard let controller, controller.acceptsLines, let connection else { return false }
        let text = user.history.text(connection, paddingBytes: line.paddingBytes, line.fate)
        if controller.send(line: text) { user.history.sent(connection, text, line.fate) }
        return true
    }

    /// Sends as much of a file as the client accepts: as chat_client does with its standard input.
    private func sendFile() {
        while fileLines > 0, send(ChatLine(paddingBytes: user.maxMessageBytes)) { fileLines -= 1 }
    }

    func stop(using random: inout SeededGenerator) {
        if let connection { user.history.left(connection) }
        controller?.leave()
    }

    private func ended() {
        connectionEnded()
        hasEnded = true
        controller = nil
    }

    private func connectionEnded() {
        if let connection { user.history.ended(connection) }
        connection = nil
        beganAt = user.host.world.elapsed
    }

    // MARK: ChatView

    func show(message: [UInt8]) {
        if let connection { user.history.received(message, on: connection) }
    }

    func show(notice: String) {
        guard notice.hasPrefix("connected to ") else { return connectionEnded() }
        connection = user.history.up(user, since: beganAt, readsAlways: true)
    }
}
