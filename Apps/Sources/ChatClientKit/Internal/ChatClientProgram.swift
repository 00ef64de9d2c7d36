import RocketProgram
import RocketReactor
import RocketSystem

/// Runs a chat client: an interactive one in a terminal, a scripted one otherwise.
enum ChatClientProgram {
    /// Whether standard input and output are a terminal.
    static var isInteractive: Bool { StandardInput.isTerminal && Terminal.isStandardOutput }

    /// Returns when the client has ended: a failure, or nil.
    static func run(
        _ settings: ChatClientController.Settings, on loop: EventLoop
    ) async -> ProgramFailure? {
        await withCheckedContinuation { continuation in
            loop.execute { reactor in
                let start = isInteractive ? InteractiveClient.start : ScriptedClient.start
                do throws(SystemError) {
                    try start(settings, reactor) { continuation.resume(returning: $0) }
                } catch {
                    continuation.resume(returning: ProgramFailure(error))
                }
            }
        }
    }
}
