import CRocketSystem
import Glibc

/// A program that was run to its end. For tools.
public struct ChildProcess: Hashable, Sendable {
    /// The exit status; for a process that a signal has ended, 128 and the signal's number, as in
    /// shells.
    public let status: Int32
    /// What it wrote to standard error.
    public let errors: [UInt8]

    /// Runs a program with this process's environment, and blocks until it has ended and nothing
    /// else has its standard error open. Its standard input is empty, its standard output is
    /// discarded.
    ///
    /// - Parameters:
    ///   - path: of the program; PATH is not searched.
    ///   - arguments: without the program's name.
    /// - Throws: `SystemError` if it can't be started (ENOENT, EACCES, ENOEXEC …).
    public static func run(
        _ path: String, _ arguments: [String]
    ) throws(SystemError) -> ChildProcess {
        let pipe = try Pipe()
        let process = try start(path, arguments, output: "/dev/null", errors: pipe.writer.raw)
        try pipe.writer.close()
        let errors = readAll(pipe.reader)
        return ChildProcess(status: wait(for: process), errors: errors)
    }

    /// Starts a program with this process's environment.
    ///
    /// - Parameters:
    ///   - path: of the program; a name without "/" is looked for in PATH if `searchingPath`.
    ///   - input: the descriptor for its standard input; nil: it is empty.
    ///   - output: the file for its standard output; created, and emptied if it exists.
    ///   - errors: the descriptor for its standard error; nil: the file for its output.
    /// - Returns: its number; `wait(for:)` has to be called with it.
    package static func start(
        _ path: String, _ arguments: [String], searchingPath: Bool = false, input: Int32? = nil,
        output: String, errors: Int32? = nil
    ) throws(SystemError) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        } else {
            unsafe posix_spawn_file_actions_addopen(
                &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        unsafe posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors ?? STDOUT_FILENO, STDERR_FILENO)
        // SAFETY: a NULL-terminated array of copies that are freed below, after the child has its own.
        var words = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let error =
            searchingPath
            ? unsafe posix_spawnp(&process, path, &actions, nil, &words, environ)
            : unsafe posix_spawn(&process, path, &actions, nil, &words, environ)
        if error != 0 { throw SystemError("run \(path)", Errno(rawValue: error)) }
        return process
    }

    /// Reads until the last writer has closed the pipe; a failure ends the reading, too.
    private static func readAll(_ file: borrowing FileDescriptor) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            // SAFETY: the kernel writes at most the size of the chunk.
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(file.raw, $0.baseAddress, $0.count)
            }
            if count < 0, Errno.current.isInterrupted { continue }
            if count <= 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Waits for the end of a program that `start` has started.
    ///
    /// - Returns: its status as `status` is.
    package static func wait(for process: Int32) -> Int32 {
        var status: Int32 = 0
        // SAFETY: waitpid fills one number.
        while unsafe waitpid(process, &status, 0) < 0 {
            if !Errno.current.isInterrupted { return -1 }
        }
        // WIFEXITED and WEXITSTATUS, which are macros.
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}

extension ChildProcess {
    /// A pipe whose ends are not inherited by programs.
    package struct Pipe: ~Copyable {
        package let reader, writer: FileDescriptor

        package init() throws(SystemError) {
            var ends: [Int32] = [0, 0]
            // SAFETY: the kernel writes two numbers to the array of two.
            guard unsafe rocket_pipe(&ends) == 0 else { throw SystemError("pipe", .current) }
            reader = FileDescriptor(owning: ends[0])
            writer = FileDescriptor(owning: ends[1])
        }

        /// Closes the reader's end.
        package consuming func keepWriter() -> FileDescriptor { writer }
    }

    /// Whether a program that `start` has started has not ended.
    package static func isRunning(_ process: Int32) -> Bool {
        var information = unsafe siginfo_t()
        let options = WEXITED | WNOHANG | WNOWAIT
        let result = unsafe waitid(P_PID, id_t(process), &information, options)
        return unsafe result == 0 && information.si_signo == 0
    }

    /// Sends a signal to a program that `start` has started, and for which nobody has waited.
    package static func send(_ signal: Int32, to process: Int32) { _ = kill(process, signal) }
}

extension CurrentProcess {
    /// Ends the process with `status` (exit(3)).
    public static func exit(_ status: Int32) -> Never { Glibc.exit(status) }
}
