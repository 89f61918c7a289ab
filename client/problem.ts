/** A problem that the API has answered with, as an Error. */
export class CarillonProblem extends Error {
  override readonly name = 'CarillonProblem';
  /** Stable; the API guide lists them. */
  readonly code: string;

  constructor(problem: { readonly code: string; readonly detail: string }) {
    super(`${problem.code}: ${problem.detail}`);
    this.code = problem.code;
  }

  /** The problem of an answer that is not a success, whoever on the way has given it. */
  static async of(response: Response): Promise<CarillonProblem> {
    const text = await response.text();
    try {
      return new CarillonProblem(JSON.parse(text) as { code: string; detail: string });
    } catch {
      return new CarillonProblem({ code: `http-${response.status}`, detail: text.slice(0, 200) });
    }
  }
}
