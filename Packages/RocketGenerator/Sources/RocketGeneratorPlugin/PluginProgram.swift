import FoundationEssentials
import RocketSystem
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Entry point of `protoc-gen-rocket`.
public enum PluginProgram {
    /// Reads protoc's request from standard input, writes the response to standard output and ends
    /// the process: with status 0, or with one of sysexits.h and one line on standard error: 64 for
    /// an unknown argument, 65 if the input is no request that can be read, 74 if the response
    /// can't be written. protoc then fails, too.
    public static func run(arguments: [String] = Array(CommandLine.arguments.dropFirst())) -> Never
    {
        do {
            try write(try output(for: arguments, input: input))
            CurrentProcess.exit(0)
        } catch {
            let lines = "\(error)".split(separator: "\n").map { "protoc-gen-rocket: \($0)" }
            ProcessExit.end(
                lines.joined(separator: "\n"), status: (error as? PluginInputError)?.status ?? 65)
        }
    }

    private static func input() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let more = try StandardInput.read(atMost: 64 * 1024)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }

    private static func write(_ output: Data) throws {
        // The writing of a closed pipe is an error, not a signal that ends the process.
        Signals.ignoreBrokenPipes()
        let error = unsafe output.withUnsafeBytes {
            unsafe SharedOutput(StandardStream.output).write($0, waitingAtMost: nil).error
        }
        guard let error else { return }
        throw PluginInputError("can't write to standard output: \(error.errno.text)", status: 74)
    }

    /// Returns what the program prints for these arguments.
    ///
    /// - Parameter input: reads standard input; only called without arguments.
    static func output(
        for arguments: [String], input: () throws -> [UInt8]
    ) throws -> Data {
        let generator = ServiceGenerator()
        switch arguments.first {
        case nil:
            let request = try DescriptorReader.request(try input())
            return try generateCode(request: request, generator: generator).serializedBytes()
        case "--version": return Data("protoc-gen-rocket \(generator.version ?? "")\n".utf8)
        case "-h", "--help": return Data("\(ServiceGenerator.help)\n".utf8)
        case let argument?:
            throw PluginInputError("unknown argument '\(argument)'; see --help", status: 64)
        }
    }
}
