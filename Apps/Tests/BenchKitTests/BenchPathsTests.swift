import ArgumentParser
import Testing

@testable import BenchKit

struct BenchPathsTests {
    @Test(
        "Repeats each path as many times as requested",
        arguments: [
            (BenchPathsCommand.Path.decode, 7 * 100), (.encode, 7 * 14), (.dispatch, 7 * 75),
            (.log, 3), (.keep, 0), (.pick, 7 * 8), (.balance, 7),
        ])
    func paths(path: BenchPathsCommand.Path, expected: Int) async throws {
        let command = try BenchPathsCommand.parse([path.rawValue, "--times", "7"])
        #expect(try await command.runPath() == expected)
    }
}
