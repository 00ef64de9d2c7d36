import Foundation
import RocketSystem
import Testing

struct SharedFileMemoryTests {
    private let path = NSTemporaryDirectory() + "memory-" + UUID().uuidString

    @Test("What is written to the memory is in the file, which is in use as long as the memory is")
    func contents() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            let memory = try SharedFileMemory(creating: path, byteCount: 4096)
            memory.bytes[4095] = 7
            #expect(try SharedFileMemory.isInUse(path))
            #expect(throws: SystemError.self) {
                _ = try SharedFileMemory(creating: path, byteCount: 4096)
            }
            #expect(memory.bytes.count == 4096)
        }
        #expect(try !SharedFileMemory.isInUse(path))
        let contents = try Data(contentsOf: URL(filePath: path))
        #expect(contents.count == 4096 && contents.last == 7)
    }

    @Test("Space that can't be reserved is an error at the start, and leaves no file")
    func noSpace() throws {
        let error = #expect(throws: SystemError.self) {
            // More than any file system allows, so that nothing is reserved on the way to the error.
            _ = try SharedFileMemory(creating: path, byteCount: 1 << 60)
        }
        #expect(error?.description.contains("reserve") == true)
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
