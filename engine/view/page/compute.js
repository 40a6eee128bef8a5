// Compute the numbers of a graph again: forward, then backward. `operations` returns `code`, the functions of
// each operation, and `repr`, which writes a number as Python does. Outside an operation's domain the error has
// the words of Python.
(story, operations) => {
  const { code, repr } = operations();
  const { nodes, backward } = story;
  const letters = (count) => (count <= 2 ? ["a", "b"].slice(0, count) : [...Array(count).keys()].map((i) => `a${i}`));

  function evaluate(node, p) {
    const operation = story.operations[node.operation], [value, local] = code[operation.code];
    const skip = node.parents.map((parent) => nodes[parent].constant);
    let y;
    try {
      y = value(p);
    } catch (error) {
      throw outside(operation.errors[0], node, p, error);
    }
    try {
      return [y, local(p, y, skip)];
    } catch (error) { // name the first derivative that does not exist
      const wrong = p.findIndex((_, i) => fails(() => local(p, y, p.map((_, other) => other !== i))));
      throw outside(operation.errors[1 + wrong], node, p, error);
    }
  }

  function fails(act) {
    try { act(); } catch { return true; }
    return false;
  }

  function outside(what, node, p, error) {
    if (!(error instanceof RangeError)) return error;
    const names = letters(p.length), labels = node.parents.map((parent) => nodes[parent].label ?? nodes[parent].name);
    const point = p.map((x, i) => `${names[i]} = ${repr(x)}${labels[i] ? ` (${labels[i]})` : ""}`);
    return new RangeError(`${what} at ${point.join(", ")}: ${error.message}`);
  }

  return {
    repr,

    // Return the number and the local gradients of each node, for the numbers in `leaves`
    forward(leaves) {
      const data = [...leaves], local = nodes.map(() => []);
      nodes.forEach((node, i) => {
        if (node.parents) [data[i], local[i]] = evaluate(node, node.parents.map((parent) => data[parent]));
      });
      return { data, local };
    },

    // Return the steps of the backward pass; `given` has the contributions of closures, which are not products
    backward(local, given) {
      const gradients = nodes.map(() => 0);
      gradients[nodes.length - 1] = 1;
      return backward.map(([child, position], i) => {
        const parent = nodes[child].parents[position], upstream = gradients[child], before = gradients[parent];
        const contribution = given ? given[i] : upstream * local[child][position];
        gradients[parent] = before + contribution;
        return { child, parent, position, upstream, local: local[child][position], contribution, before,
          total: gradients[parent] };
      });
    },
  };
}
