import Dispatch
import RocketReactor
import RocketSystem

/// Handles the signals of a program in a terminal, on a thread of its own: the loop may have to
/// wait for the terminal. The thread runs until the process ends.
///
/// | signal | effect |
/// |---|---|
/// | SIGTERM, SIGHUP, SIGINT, SIGQUIT | leaves the terminal and ends the process by the signal |
/// | SIGTSTP | leaves the terminal and stops, until SIGCONT |
/// | SIGCONT | enters the terminal; stops again in the background, where it can't be used |
/// | SIGWINCH | draws for the new size |
final class TerminalSignals: Sendable {
    /// What the client has to do on its loop.
    enum Event: Sendable {
        /// Leave the screen as other programs expect it.
        case leave
        /// Draw everything again. The mode is raw.
        case enter
        /// The size of the terminal has changed.
        case resized
    }

    /// The signals to block in all threads. Of two that wait, the one that ends the process is
    /// read first, as its number is less.
    static let all: [Signal] = [
        .hangUp, .interrupt, .quit, .terminate, .resume, .terminalStop, .backgroundRead,
        .windowChange,
    ]

    private static let jobControl: [Signal] = [.resume, .terminalStop, .backgroundRead]

    private let descriptor: SignalDescriptor
    private let loop: EventLoop
    private let mode: TerminalMode
    private let receive: @Sendable (Event) -> Void

    private init(
        _ loop: EventLoop, _ mode: TerminalMode, _ receive: @escaping @Sendable (Event) -> Void
    ) throws(SystemError) {
        descriptor = try SignalDescriptor(Self.all)
        self.loop = loop
        self.mode = mode
        self.receive = receive
    }

    /// Starts the thread, unless the calling thread does not block the signals: then they keep
    /// their default actions.
    ///
    /// - Parameter receive: gets the events, on the loop.
    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM; EAGAIN: no more threads).
    static func start(
        on loop: EventLoop, _ mode: TerminalMode, _ receive: @escaping @Sendable (Event) -> Void
    ) throws(SystemError) {
        guard Signals.areBlocked(all) else { return }
        let signals = try TerminalSignals(loop, mode, receive)
        try SystemThread(name: "chat-signals") { while signals.waitForOne() {} }.detach()
    }

    private func waitForOne() -> Bool {
        guard (try? descriptor.descriptor.waitUntilReadable(atMost: .seconds(60))) != nil else {
            return false
        }
        if case .done(let signal) = descriptor.next() { handle(signal) }
        return true
    }

    private func handle(_ signal: Signal) {
        switch signal {
        case .terminalStop, .backgroundRead: suspend(by: signal)
        case .resume where Terminal.isForeground: enter()
        case .resume: suspend(by: .backgroundRead)
        case .windowChange: perform(.resized)
        case .hangUp, .interrupt, .quit, .terminate, .user1, .user2: end(by: signal)
        }
    }

    private func end(by signal: Signal) {
        perform(.leave)
        mode.end()
        Signals.performDefault(signal)
    }

    /// Returns when the process was continued.
    private func suspend(by signal: Signal) {
        perform(.leave)
        mode.leave()
        Signals.performDefault(signal)
        // SIGCONT is handled next. So is another stop signal, which discards it.
        if Self.jobControl.contains(where: Signals.isPending) { return }
        // No shell could have continued it: it goes on, unless it has lost the terminal.
        if Terminal.isForeground { enter() } else { end(by: .hangUp) }
    }

    private func enter() {
        do throws(SystemError) { try mode.enter() } catch { return end(by: .hangUp) }
        perform(.enter)
    }

    /// Waits until the loop has handled the event, for a second at most: it may be writing to a
    /// terminal that takes nothing.
    private func perform(_ event: Event) {
        let done = DispatchSemaphore(value: 0)
        loop.execute { [receive] _ in
            receive(event)
            done.signal()
        }
        _ = done.wait(timeout: .now() + 1)
    }
}
