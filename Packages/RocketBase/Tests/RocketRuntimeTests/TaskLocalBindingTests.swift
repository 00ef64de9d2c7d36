import RocketRuntime
import Testing

@Suite("Task-local binding", .enabled(if: TaskLocalBinding.isAvailable))
struct TaskLocalBindingTests {
    @TaskLocal static var local: String?

    @Test("A pushed value is bound until it is popped, across suspensions")
    func suspensions() async {
        #expect(Self.local == nil)
        TaskLocalBinding.push(Self.$local, "outer")
        await Task.yield()
        #expect(Self.local == "outer")
        TaskLocalBinding.push(Self.$local, "inner")
        await Task.yield()
        #expect(Self.local == "inner")
        TaskLocalBinding.pop()
        #expect(Self.local == "outer")
        TaskLocalBinding.pop()
        #expect(Self.local == nil)
    }

    @Test("Child tasks and unstructured tasks inherit the binding")
    func inheritance() async {
        TaskLocalBinding.push(Self.$local, "bound")
        async let child = Self.local
        let task = Task { Self.local }
        let seen = await child
        TaskLocalBinding.pop()
        #expect(seen == "bound")
        #expect(await task.value == "bound")
        #expect(Self.local == nil)
    }

    @Test("A value is released after its pop")
    func lifetime() async {
        final class Object: Sendable {}
        enum Locals { @TaskLocal static var object: Object? }
        weak var observed: Object?
        do {
            let object = Object()
            observed = object
            TaskLocalBinding.push(Locals.$object, object)
        }
        await Task.yield()
        #expect(observed != nil)
        TaskLocalBinding.pop()
        #expect(observed == nil)
    }
}
