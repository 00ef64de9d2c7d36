import Foundation
import RocketSystem
import Testing

@Suite struct ProcessExitTests {
    @Test("Bodies run at exit, the last one first")
    func order() async {
        let result = await #expect(
            processExitsWith: .exitCode(3), observing: [\.standardOutputContent]
        ) {
            for text in ["first", "second", "third"] {
                ProcessExit.run { _ = text.withCString { Foundation.write(1, $0, strlen($0)) } }
            }
            exit(3)
        }
        let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        #expect(output == "thirdsecondfirst")
    }
}
