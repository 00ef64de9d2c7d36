import RocketReactor
import RocketSystem
import UnixSignals

/// Runs a chat client: an interactive one if standard input and output are a terminal, a scripted
/// one otherwise.
enum ChatClientProgram {
    /// Returns when the client has ended: the text of a failure, or nil.
    static func run(_ settings: ChatClientController.Settings, on loop: EventLoop) async -> String?
    {
        StandardInput.isTerminal && Terminal.isStandardOutput
            ? await interactive(settings, on: loop) : await scripted(settings, on: loop)
    }

    private static func scripted(
        _ settings: ChatClientController.Settings, on loop: EventLoop
    ) async -> String? {
        await withCheckedContinuation { continuation in
            loop.execute { reactor in
                do throws(SystemError) {
                    try ScriptedClient.start(settings, on: reactor) {
                        continuation.resume(returning: $0)
                    }
                } catch {
                    continuation.resume(returning: error.description)
                }
            }
        }
    }

    private static func interactive(
        _ settings: ChatClientController.Settings, on loop: EventLoop
    ) async -> String? {
        let resize = TerminalResize()
        let signals = await UnixSignalsSequence(trapping: .sigwinch)
        let observer = Task { for await _ in signals { resize.notify() } }
        defer { observer.cancel() }
        return await withCheckedContinuation { continuation in
            loop.execute { reactor in
                do throws(SystemError) {
                    let redraw = try InteractiveClient.start(settings, on: reactor) {
                        continuation.resume(returning: $0)
                    }
                    resize.set(LoopBound(redraw, on: reactor))
                } catch {
                    continuation.resume(returning: error.description)
                }
            }
        }
    }
}

/// Redraws on the loop of the client after a change of the terminal's size. Any thread.
private final class TerminalResize: Sendable {
    private let redraw = Locked<LoopBound<() -> Void>?>(nil)

    func set(_ redraw: LoopBound<() -> Void>) { self.redraw.withLock { $0 = redraw } }

    func notify() {
        guard let redraw = redraw.withLock({ $0 }) else { return }
        redraw.loop.execute { _ in redraw.get()() }
    }
}
