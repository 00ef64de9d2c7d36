import Foundation
import RocketSystem
import Testing

@Suite struct FileContentsTests {
    @Test(
        "Returns one byte more than the limit of a longer file, whatever the limit",
        arguments: [0, 1, 16_383, 16_384, 16_385, 32_768])
    func limit(limit: Int) throws {
        let path = NSTemporaryDirectory() + "rocket-contents-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        for size in [limit, limit + 1, limit + 2] {
            try FileContents.write([UInt8](repeating: 7, count: size), to: path)
            let bytes = try FileContents.read(path, limit: limit)
            #expect(bytes == [UInt8](repeating: 7, count: min(size, limit + 1)))
        }
    }
}
