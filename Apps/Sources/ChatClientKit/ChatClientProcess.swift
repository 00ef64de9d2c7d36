import Dispatch
import RocketProgram
import RocketSystem

/// The process of `chat_client`.
public enum ChatClientProcess {
    /// Runs the program and ends the process. Call it first in `main`, while there is one thread:
    /// all others inherit its signal mask, and the signals of a terminal reach none of them.
    public static func run() -> Never {
        if ChatClientProgram.isInteractive { Signals.block(TerminalSignals.all) }
        Task.detached { await Program.run(ChatClientCommand.self) }
        // Not `dispatchMain`, in which the main thread would accept the signals.
        while true { DispatchSemaphore(value: 0).wait() }
    }
}
