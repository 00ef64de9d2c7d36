import RocketReactor
import RocketSystem
import UnixSignals

/// A chat client from its start to its end: at a terminal, or where standard input or output is
/// none, without one.
enum ChatClientProgram {
    /// Returns when it is over: why it failed, nil when it ended well.
    static func run(_ settings: ChatClientController.Settings, on loop: EventLoop) async -> String?
    {
        StandardInput.isTerminal && Terminal.isStandardOutput
            ? await interactive(settings, on: loop) : await scripted(settings, on: loop)
    }

    private static func scripted(_ settings: ChatClientController.Settings, on loop: EventLoop)
        async
        -> String?
    {
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

    private static func interactive(_ settings: ChatClientController.Settings, on loop: EventLoop)
        async
        -> String?
    {
        let resized = TerminalResize()
        let sizes = await UnixSignalsSequence(trapping: .sigwinch)
        let watching = Task { for await _ in sizes { resized.tell() } }
        defer { watching.cancel() }
        return await withCheckedContinuation { continuation in
            loop.execute { reactor in
                do throws(SystemError) {
                    let redraw = try InteractiveClient.start(settings, on: reactor) {
                        continuation.resume(returning: $0)
                    }
                    resized.set(LoopBound(redraw, on: reactor))
                } catch {
                    continuation.resume(returning: error.description)
                }
            }
        }
    }
}

/// Takes word of a new size of the terminal to the loop that draws. Any thread.
private final class TerminalResize: Sendable {
    private let redraw = Locked<LoopBound<() -> Void>?>(nil)

    func set(_ redraw: LoopBound<() -> Void>) { self.redraw.withLock { $0 = redraw } }

    func tell() {
        guard let redraw = redraw.withLock({ $0 }) else { return }
        redraw.loop.execute { _ in redraw.get()() }
    }
}
