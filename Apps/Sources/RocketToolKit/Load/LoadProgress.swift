/// How far a load is. A value.
struct LoadProgress: Hashable, Sendable {
    let elapsed: Duration
    /// How long the load takes; nil: until all requests are made.
    let duration: Duration?
    let requests: Int?
    let course: LoadCourse
}
